package org.trefoilfs.replication.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;

/** Small sentences of the chunk tests. */
final class ChunkFixture {
  /** Group 0x2a of the pool of three. */
  static final int PG = 3 << 16 | 0x2a;

  static final int BLOCK = ChunkId.BLOCK;

  private ChunkFixture() {}

  static byte[] bytes(long seed, int length) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  static Mutation.Write write(ChunkId id, int offset, byte[] data) {
    return new Mutation.Write(id, offset, ByteBuffer.wrap(data));
  }

  static void apply(ChunkStore store, long n, Mutation mutation) {
    store.apply(PG, mutation, new Version(1, n), Redo.FIRST);
  }

  static void redo(ChunkStore store, long n, Mutation mutation) {
    store.apply(PG, mutation, new Version(1, n), Redo.REDO);
  }

  static byte[] read(ChunkStore store, ChunkId id, int offset, int length) {
    ByteBuffer data = store.read(PG, id, offset, length);
    byte[] copy = new byte[data.remaining()];
    data.get(copy);
    return copy;
  }

  static Path file(Path root, ChunkId id) {
    return root.resolve("3").resolve("002a").resolve(id.toString());
  }

  static void scribble(Path file, long offset, byte... bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), offset);
    }
  }

  static void flip(Path file, long offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      channel.write(ByteBuffer.wrap(new byte[] {(byte) (one.get(0) ^ 0x10)}), offset);
    }
  }

  /** Bytes that the file takes on the disk, from stat(1): the JDK does not show st_blocks. */
  static long allocatedBytes(Path file) throws Exception {
    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
    return 512 * Long.parseLong(new String(stat.getInputStream().readAllBytes()).strip());
  }

  static Consumer<Throwable> isReason(Reason reason) {
    return failure -> assertThat(((TrefoilException) failure).reason()).isEqualTo(reason);
  }

  static long seed() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("seed " + seed);
    return seed;
  }

  static boolean exists(Path root, ChunkId id) {
    return Files.exists(file(root, id));
  }
}
