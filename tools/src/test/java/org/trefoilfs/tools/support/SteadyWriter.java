package org.trefoilfs.tools.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;

/** Writes one small file after the other into a directory, synced, and notes the longest call. */
public final class SteadyWriter implements AutoCloseable {
  private static final int FILE_BYTES = 64 << 10;
  private static final int CALL_BYTES = 16 << 10;

  private final Path directory;
  private final Thread thread = Thread.ofPlatform().daemon().name("writer").unstarted(this::run);
  private final AtomicInteger files = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private volatile boolean stopping;
  private volatile long callBegan;
  private volatile long longestNanos;

  private SteadyWriter(Path directory) {
    this.directory = directory;
  }

  public static SteadyWriter start(Path directory) {
    SteadyWriter writer = new SteadyWriter(directory);
    writer.thread.start();
    return writer;
  }

  private interface Call<T> {
    T run() throws IOException;
  }

  private void run() {
    try {
      while (!stopping) {
        write(files.get());
        files.incrementAndGet();
      }
    } catch (IOException | RuntimeException e) {
      failure.set(e);
    }
  }

  private void write(int number) throws IOException {
    Path file = directory.resolve("written-" + number);
    try (FileChannel out =
        call(
            () ->
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE))) {
      for (int at = 0; at < FILE_BYTES; at += CALL_BYTES) {
        call(() -> out.write(piece(number)));
      }
      call(
          () -> {
            out.force(true);
            return out;
          });
    }
  }

  private static ByteBuffer piece(int number) {
    ByteBuffer piece = ByteBuffer.allocate(CALL_BYTES);
    while (piece.hasRemaining()) {
      piece.putInt(number * 31 + piece.position());
    }
    return piece.flip();
  }

  /** Whether the first {@code count} files there are what a writer wrote, whichever mount it is. */
  public static void verify(Path directory, int count) throws IOException {
    for (int number = 0; number < count; number++) {
      byte[] piece = piece(number).array();
      ByteBuffer whole =
          ByteBuffer.wrap(Files.readAllBytes(directory.resolve("written-" + number)));
      assertThat(whole.remaining()).as("bytes of file %d", number).isEqualTo(FILE_BYTES);
      for (int at = 0; at < FILE_BYTES; at += CALL_BYTES) {
        assertThat(whole.slice(at, CALL_BYTES)).isEqualTo(ByteBuffer.wrap(piece));
      }
    }
  }

  /** Files written and synced so far. */
  public int files() {
    return files.get();
  }

  private <T> T call(Call<T> call) throws IOException {
    callBegan = System.nanoTime();
    T result = call.run();
    longestNanos = Math.max(longestNanos, System.nanoTime() - callBegan);
    return result;
  }

  /** Waits for so many files more. */
  public void awaitFiles(int more) {
    int wanted = files.get() + more;
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              check();
              return files.get() >= wanted;
            });
  }

  private void check() {
    Throwable failed = failure.get();
    if (failed != null) {
      throw new AssertionError("writing failed after " + files + " files", failed);
    }
  }

  public Duration longest() {
    return Duration.ofNanos(longestNanos);
  }

  /** Stops, and says what was done. Fails when a write had failed. */
  public String end() {
    close();
    check();
    return files
        + " files of 64 KiB written and synced, longest call "
        + longest().toMillis()
        + " ms";
  }

  @Override
  public void close() {
    stopping = true;
    try {
      thread.join(Duration.ofSeconds(60));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
