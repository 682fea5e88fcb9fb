package org.trefoilfs.replication.simulation;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Space;
import org.trefoilfs.replication.chunk.Version;

/**
 * Chunks of a few blocks of one long each, in a page cache over a disk: what is not synced may be
 * lost with the power, block by block. A block that is old where its checksum is new, or the other
 * way round, is damaged, and is never read.
 */
final class SimStore implements ChunkStore {
  static final int BLOCKS = 4;
  static final int BLOCK_BYTES = ChunkId.BLOCK;

  /**
   * @param digest of the checksum table, which knows what a damaged block should hold
   * @param damaged a bit for each block
   */
  record Chunk(Version version, long[] blocks, int digest, int damaged) {
    static final Chunk NONE =
        new Chunk(Version.NONE, new long[BLOCKS], digestOf(new long[BLOCKS]), 0);

    boolean isDamaged(int block) {
      return (damaged & 1 << block) != 0;
    }
  }

  /** By group; in no order, as most is found by number. */
  private final Map<Integer, TreeMap<ChunkId, Chunk>> cached = new HashMap<>();

  private final Map<Integer, TreeMap<ChunkId, Chunk>> stable = new HashMap<>();

  static ByteBuffer data(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(0, value);
  }

  static long value(ByteBuffer data) {
    return data.getLong(data.position());
  }

  private static int digestOf(long[] blocks) {
    return Arrays.hashCode(blocks);
  }

  private TreeMap<ChunkId, Chunk> group(int pg) {
    TreeMap<ChunkId, Chunk> group = cached.get(pg);
    return group != null ? group : cached.computeIfAbsent(pg, _ -> new TreeMap<>());
  }

  private Chunk chunk(int pg, ChunkId id) {
    return group(pg).getOrDefault(id, Chunk.NONE);
  }

  /** The block as stored. Throws CORRUPT. */
  long block(int pg, ChunkId id, int block) {
    Chunk chunk = chunk(pg, id);
    if (chunk.isDamaged(block)) {
      throw corrupt(id, block);
    }
    return chunk.blocks()[block];
  }

  long appliedNumber(int pg, ChunkId id) {
    return chunk(pg, id).version().n();
  }

  private static TrefoilException corrupt(ChunkId id, int block) {
    return new TrefoilException(Reason.CORRUPT, "block " + block + " of " + id + " is damaged");
  }

  @Override
  public ByteBuffer read(int pg, ChunkId id, int offset, int length) {
    return data(block(pg, id, offset / BLOCK_BYTES));
  }

  @Override
  public void apply(int pg, Mutation mutation, Version version, Redo redo) {
    switch (mutation) {
      case Mutation.Write(ChunkId id, int offset, ByteBuffer data) -> {
        Chunk old = chunk(pg, id);
        int block = offset / BLOCK_BYTES;
        long[] blocks = old.blocks().clone();
        blocks[block] = value(data);
        group(pg)
            .put(id, new Chunk(version, blocks, digestOf(blocks), old.damaged() & ~(1 << block)));
      }
      case Mutation.Delete(ChunkId id) -> group(pg).remove(id);
      case Mutation.Punch(ChunkId id, int offset, int length) -> {
        Chunk old = chunk(pg, id);
        long[] blocks = old.blocks().clone();
        int damaged = old.damaged();
        int end = Math.min(BLOCKS, (offset + length) / BLOCK_BYTES);
        for (int block = offset / BLOCK_BYTES; block < end; block++) {
          blocks[block] = 0;
          damaged &= ~(1 << block);
        }
        group(pg).put(id, new Chunk(version, blocks, digestOf(blocks), damaged));
      }
    }
  }

  @Override
  public void install(int pg, ChunkImage image) {
    long[] blocks = new long[BLOCKS];
    for (Extent extent : image.extents()) {
      blocks[extent.offset() / BLOCK_BYTES] = value(extent.data());
    }
    group(pg).put(image.id(), new Chunk(image.version(), blocks, digestOf(blocks), 0));
  }

  @Override
  public Optional<ChunkImage> image(int pg, ChunkId id, BlockSet blocks) {
    Chunk chunk = group(pg).get(id);
    if (chunk == null) {
      return Optional.empty();
    }
    List<Extent> extents = new ArrayList<>();
    for (int block = 0; block < BLOCKS; block++) {
      boolean wanted =
          blocks.containsAll(BlockSet.of(new Mutation.Punch(id, block * BLOCK_BYTES, BLOCK_BYTES)));
      long value = wanted ? block(pg, id, block) : 0;
      if (value != 0) {
        extents.add(new Extent(block * BLOCK_BYTES, data(value)));
      }
    }
    return Optional.of(new ChunkImage(id, chunk.version(), extents));
  }

  @Override
  public Optional<ChunkInfo> info(int pg, ChunkId id) {
    return Optional.ofNullable(group(pg).get(id)).map(chunk -> info(id, chunk));
  }

  @Override
  public BlockSet allocated(int pg, ChunkId id) {
    throw new UnsupportedOperationException();
  }

  private static ChunkInfo info(ChunkId id, Chunk chunk) {
    return new ChunkInfo(id, chunk.version(), chunk.digest(), 1);
  }

  @Override
  public List<ChunkInfo> list(int pg) {
    List<ChunkInfo> infos = new ArrayList<>();
    group(pg).forEach((id, chunk) -> infos.add(info(id, chunk)));
    return infos;
  }

  @Override
  public List<Integer> groups() {
    return cached.keySet().stream().sorted().toList();
  }

  @Override
  public void dropGroup(int pg) {
    cached.remove(pg);
  }

  @Override
  public void sync() {
    copy(cached, stable);
  }

  @Override
  public Space space() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}

  private static void copy(
      Map<Integer, TreeMap<ChunkId, Chunk>> from, Map<Integer, TreeMap<ChunkId, Chunk>> to) {
    to.clear();
    from.forEach((pg, chunks) -> to.put(pg, new TreeMap<>(chunks)));
  }

  /** Of every chunk that is not synced, some pages are on the disk and some are not. */
  void losePower(SplittableRandom random) {
    TreeMap<Integer, TreeMap<ChunkId, Chunk>> after = new TreeMap<>();
    copy(stable, after);
    new TreeMap<>(cached)
        .forEach(
            (pg, chunks) ->
                chunks.forEach(
                    (id, chunk) -> {
                      Chunk old =
                          stable.getOrDefault(pg, new TreeMap<>()).getOrDefault(id, Chunk.NONE);
                      if (old != chunk) {
                        Chunk torn = torn(old, chunk, random);
                        after.computeIfAbsent(pg, _ -> new TreeMap<>()).put(id, torn);
                      }
                    }));
    copy(after, cached);
    copy(after, stable);
  }

  /** Header and table lie side by side; each data block lies in a page of its own. */
  private static Chunk torn(Chunk old, Chunk now, SplittableRandom random) {
    Chunk header = random.nextBoolean() ? now : old;
    long[] blocks = header.blocks().clone();
    int damaged = header.damaged();
    for (int block = 0; block < BLOCKS; block++) {
      boolean newData = random.nextBoolean();
      if (old.blocks()[block] != now.blocks()[block] && newData != (header == now)) {
        damaged |= 1 << block;
      }
    }
    return new Chunk(header.version(), blocks, header.digest(), damaged);
  }

  /** Chunks with a damaged block. */
  Set<ChunkId> damaged() {
    Set<ChunkId> damaged = new TreeSet<>();
    cached
        .values()
        .forEach(
            chunks ->
                chunks.forEach(
                    (id, chunk) -> {
                      if (chunk.damaged() != 0) {
                        damaged.add(id);
                      }
                    }));
    return damaged;
  }

  /** Damages one block that holds something; the checksum stays. */
  boolean rot(SplittableRandom random) {
    List<Integer> groups = groups();
    if (groups.isEmpty()) {
      return false;
    }
    TreeMap<ChunkId, Chunk> chunks = group(groups.get(random.nextInt(groups.size())));
    if (chunks.isEmpty()) {
      return false;
    }
    ChunkId id = List.copyOf(chunks.keySet()).get(random.nextInt(chunks.size()));
    Chunk chunk = chunks.get(id);
    int damaged = chunk.damaged() | 1 << random.nextInt(BLOCKS);
    chunks.put(id, new Chunk(chunk.version(), chunk.blocks(), chunk.digest(), damaged));
    return true;
  }
}
