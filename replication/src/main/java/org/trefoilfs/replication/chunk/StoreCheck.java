package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;
import org.trefoilfs.replication.placement.Pools;

/** Reads a whole store and compares every block with its checksum. Changes nothing. */
public final class StoreCheck {
  /** Read at once. */
  private static final int STEP = 1 << 20;

  private final ChunkPaths paths;
  private final Consumer<String> damage;
  private final Map<Integer, Long> digestOfGroup = new TreeMap<>();
  private long chunks;
  private long bytes;
  private long damaged;

  private StoreCheck(Path root, Consumer<String> damage) {
    this.paths = new ChunkPaths(root.toAbsolutePath());
    this.damage = damage;
  }

  /**
   * Checks the store under the directory, which should not be in use meanwhile: a chunk that is
   * being written may look damaged.
   *
   * @param damage is given one sentence for each thing that is wrong
   * @throws TrefoilException IO when the directory cannot be read
   */
  public static CheckReport check(Path chunksRoot, Consumer<String> damage) {
    StoreCheck check = new StoreCheck(chunksRoot, damage);
    try {
      for (int pg : check.paths.groups()) {
        check.checkGroup(pg);
      }
    } catch (IOException e) {
      throw Disk.failure("checking " + chunksRoot, e);
    }
    return check.report();
  }

  private CheckReport report() {
    long digest = digestOfGroup.values().stream().mapToLong(Long::longValue).sum();
    return new CheckReport(chunks, bytes, damaged, digest, digestOfGroup);
  }

  private void checkGroup(int pg) throws IOException {
    long digest = 0;
    long before = chunks;
    for (Path file : ChunkPaths.children(paths.group(pg))) {
      ChunkId id = ChunkPaths.parse(ChunkPaths.name(file)).orElse(null);
      if (id == null) {
        damaged++;
        damage.accept(file + " is no chunk; remove it if nobody knows it");
      } else {
        digest += checkChunk(file, id);
      }
    }
    // The directory of a group outlives its last chunk.
    if (chunks > before) {
      digestOfGroup.put(pg, digest);
    }
  }

  /** The chunk's part of the digest. */
  private long checkChunk(Path path, ChunkId id) throws IOException {
    try (ChunkFile file = ChunkFile.open(path, id, Redo.FIRST)) {
      if (file == null) {
        return 0;
      }
      chunks++;
      ChunkInfo info = file.info();
      bytes += (long) info.blocks() * ChunkId.BLOCK;
      checkBlocks(file);
      return digestOf(info);
    } catch (TrefoilException e) {
      damaged++;
      damage.accept(e.getMessage());
    } catch (NoSuchFileException e) {
      // Deleted meanwhile.
    }
    return 0;
  }

  /** A chunk's part of a store's digest: its name and content, whatever its version. */
  public static long digestOf(ChunkInfo info) {
    ChunkId id = info.id();
    return Pools.mix(Pools.mix(Pools.mix(id.inode()) + id.index()) + info.digest());
  }

  private static void checkBlocks(ChunkFile file) throws IOException {
    for (int offset = 0; offset < ChunkId.SIZE; offset += STEP) {
      file.read(offset, STEP);
    }
  }
}
