package org.trefoilfs.replication.heal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;

/**
 * Which blocks of a group were written lately: what a member that was away has to copy. Every
 * member of the group keeps it, from the committed writes alone, so that whoever is primary when
 * the member returns can tell. Pure; the caller serializes calls.
 *
 * <p>Kept in two generations, each a set of blocks by chunk. While all replicas are in sync the
 * older one is dropped now and then; while one is away both grow, by 128 bytes for each chunk
 * written.
 *
 * <pre>
 *       floor            middle                     last
 *   ------|----- older -----|------- newer ----------|
 * </pre>
 */
public final class Changes {
  private Version floor;
  private long middle;
  private long last;
  private Map<ChunkId, Changed> older = new HashMap<>();
  private Map<ChunkId, Changed> newer = new HashMap<>();

  /** View by the number of the first write that was committed in it. */
  private final TreeMap<Long, Long> views = new TreeMap<>();

  /**
   * What was written of a chunk.
   *
   * @param lastN number of the last write that is counted here
   */
  public record Changed(long lastN, BlockSet blocks) {}

  /**
   * @param floor nothing is known of writes up to this one
   */
  public Changes(Version floor) {
    this.floor = floor;
    this.middle = floor.n();
    this.last = floor.n();
  }

  /** The next write in the order of the group. */
  public void committed(Version version, Mutation mutation) {
    if (version.n() != last + 1) {
      restart(new Version(version.view(), version.n() - 1));
    }
    last = version.n();
    if (views.isEmpty() || views.lastEntry().getValue() < version.view()) {
      views.put(version.n(), version.view());
    }
    BlockSet blocks = BlockSet.of(mutation);
    newer.compute(
        mutation.chunk(),
        (_, known) -> {
          if (known != null) {
            blocks.add(known.blocks());
          }
          return new Changed(version.n(), blocks);
        });
  }

  /** Forgets everything: writes are known from the next one on. */
  public void restart(Version from) {
    floor = from;
    middle = from.n();
    last = from.n();
    older = new HashMap<>();
    newer = new HashMap<>();
    views.clear();
  }

  /** Drops the older half of what is known. */
  public void trim() {
    floor = new Version(viewAt(middle), middle);
    views.headMap(middle, true).clear();
    older = newer;
    newer = new HashMap<>();
    middle = last;
  }

  private long viewAt(long n) {
    Map.Entry<Long, Long> entry = views.floorEntry(n);
    return entry == null ? floor.view() : entry.getValue();
  }

  /** Number of the last write. */
  public long last() {
    return last;
  }

  /** Chunks that were written since the last {@link #trim}. */
  public int recentChunks() {
    return newer.size();
  }

  /** What memory this takes, in chunks: some 200 bytes each. */
  public int chunks() {
    return older.size() + newer.size();
  }

  /** Whether {@link #since} can tell. */
  public boolean knowsSince(long n) {
    return n >= floor.n();
  }

  /**
   * Up to where a member's history is this one's.
   *
   * @param other the last write that the member has, or has seen made void, in the view in which it
   *     did. Where views differ, writes of the same number may: a new primary commits what it took
   *     over under its own view, and a group that lost its unsynced tail writes the numbers anew
   * @return empty when that is before what is known here
   */
  public OptionalLong sharedWith(Version other) {
    if (other.n() < floor.n() || other.view() < floor.view()) {
      return OptionalLong.empty();
    }
    long shared = Math.min(other.n(), last);
    for (Map.Entry<Long, Long> later : views.entrySet()) {
      if (later.getValue() > other.view()) {
        shared = Math.min(shared, later.getKey() - 1);
        break;
      }
    }
    return shared < floor.n() ? OptionalLong.empty() : OptionalLong.of(shared);
  }

  /**
   * What was written after number {@code n}, perhaps more. Not to be asked for numbers below what
   * {@link #sharedWith} may return.
   */
  public Map<ChunkId, Changed> since(long n) {
    if (n < floor.n()) {
      throw new IllegalArgumentException(
          "changes since %d are not known, only since %s".formatted(n, floor));
    }
    Map<ChunkId, Changed> changed = new HashMap<>();
    if (n < middle) {
      collect(older, n, changed);
    }
    collect(newer, n, changed);
    return changed;
  }

  /** Of one chunk; see {@link #since}. */
  public BlockSet blocksSince(ChunkId chunk, long n) {
    BlockSet blocks = BlockSet.none();
    for (Map<ChunkId, Changed> generation : List.of(older, newer)) {
      Changed changed = generation.get(chunk);
      if (changed != null && changed.lastN() > n) {
        blocks.add(changed.blocks());
      }
    }
    return blocks;
  }

  private static void collect(
      Map<ChunkId, Changed> generation, long after, Map<ChunkId, Changed> into) {
    generation.forEach(
        (chunk, each) -> {
          if (each.lastN() > after) {
            Changed known = into.get(chunk);
            BlockSet blocks = each.blocks().copy();
            if (known != null) {
              blocks.add(known.blocks());
            }
            into.put(chunk, new Changed(each.lastN(), blocks));
          }
        });
  }
}
