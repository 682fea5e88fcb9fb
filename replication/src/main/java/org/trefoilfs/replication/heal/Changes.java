package org.trefoilfs.replication.heal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
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
 * <p>Kept in generations, each a set of blocks by chunk. One begins with every view, for then a
 * member may have left, and after some writes; old ones are dropped while nobody is away.
 *
 * <pre>
 *       floor                                  last
 *   ------|--- generation ---|--- generation ---|
 * </pre>
 */
public final class Changes {
  /** Writes in a generation while nobody is away. */
  private static final int GENERATION = 32;

  /** A member that has just left may not have known of the last commits. */
  private static final int KEPT_GENERATIONS = 2;

  private Version floor;
  private long last;
  private final Deque<Generation> generations = new ArrayDeque<>();

  /** Chunks in all generations. */
  private int chunks;

  /** View by the number of the first write that was committed in it. */
  private final TreeMap<Long, Long> views = new TreeMap<>();

  /**
   * What was written of a chunk.
   *
   * @param lastN number of the last write that is counted here
   */
  public record Changed(long lastN, BlockSet blocks) {}

  /** What was written after number {@code after}. */
  private record Generation(long after, Map<ChunkId, Changed> chunks) {
    Generation(long after) {
      this(after, new HashMap<>());
    }
  }

  /**
   * @param floor nothing is known of writes up to this one
   */
  public Changes(Version floor) {
    restart(floor);
  }

  /** Forgets everything: writes are known from the next one on. */
  public void restart(Version from) {
    floor = from;
    last = from.n();
    generations.clear();
    chunks = 0;
    generations.add(new Generation(last));
    views.clear();
  }

  /** The next write in the order of the group. */
  public void committed(Version version, Mutation mutation) {
    if (version.n() != last + 1) {
      restart(new Version(version.view(), version.n() - 1));
    }
    last = version.n();
    if (viewAt(last) < version.view()) {
      views.put(version.n(), version.view());
    }
    note(generations.getLast().chunks(), mutation);
  }

  private void note(Map<ChunkId, Changed> generation, Mutation mutation) {
    int before = generation.size();
    generation.merge(
        mutation.chunk(),
        new Changed(last, BlockSet.of(mutation)),
        (known, now) -> {
          known.blocks().add(now.blocks());
          return new Changed(now.lastN(), known.blocks());
        });
    chunks += generation.size() - before;
  }

  /** From here on changes are told apart from those before. */
  public void mark() {
    if (generations.getLast().after() < last) {
      generations.add(new Generation(last));
    }
  }

  /** Drops what hardly anybody will ask for, as nobody is away. */
  public void trimIfDue() {
    if (last - generations.getLast().after() >= GENERATION) {
      mark();
      while (generations.size() > KEPT_GENERATIONS) {
        trim();
      }
    }
  }

  /** Drops the oldest of what is known. */
  public void trim() {
    chunks -= generations.removeFirst().chunks().size();
    if (generations.isEmpty()) {
      generations.add(new Generation(last));
    }
    long from = generations.getFirst().after();
    floor = new Version(viewAt(from), from);
    views.headMap(from, true).clear();
  }

  private long viewAt(long n) {
    Map.Entry<Long, Long> entry = views.floorEntry(n);
    return entry == null ? floor.view() : entry.getValue();
  }

  /** Number of the last write. */
  public long last() {
    return last;
  }

  /** Whether {@link #since} can tell. */
  public boolean knowsSince(long n) {
    return n >= floor.n();
  }

  /** What memory this takes, in chunks: some 200 bytes each. */
  public int chunks() {
    return chunks;
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
    if (!knowsSince(n)) {
      throw new IllegalArgumentException(
          "changes since %d are not known, only since %s".formatted(n, floor));
    }
    Map<ChunkId, Changed> changed = new HashMap<>();
    for (Generation generation : generations) {
      generation
          .chunks()
          .forEach(
              (chunk, each) -> {
                if (each.lastN() > n) {
                  BlockSet blocks = each.blocks().copy();
                  Changed earlier = changed.get(chunk);
                  if (earlier != null) {
                    blocks.add(earlier.blocks());
                  }
                  changed.put(chunk, new Changed(each.lastN(), blocks));
                }
              });
    }
    return changed;
  }

  /** Of one chunk; see {@link #since}. */
  public BlockSet blocksSince(ChunkId chunk, long n) {
    BlockSet blocks = BlockSet.none();
    for (Generation generation : generations) {
      Changed changed = generation.chunks().get(chunk);
      if (changed != null && changed.lastN() > n) {
        blocks.add(changed.blocks());
      }
    }
    return blocks;
  }
}
