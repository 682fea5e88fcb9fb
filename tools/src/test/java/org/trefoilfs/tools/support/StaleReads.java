package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;

/**
 * One mount writes ever higher numbers into a file, and makes a name for each; another mount reads
 * both. What was acknowledged before a read began, the read sees, or it fails.
 */
public final class StaleReads implements AutoCloseable {
  private static final int BYTES = 4096;
  private static final Duration PACE = Duration.ofMillis(50);

  private final Path written;
  private final Path read;
  private final AtomicInteger acknowledged = new AtomicInteger();
  private final AtomicInteger served = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final Thread writer = Thread.ofPlatform().daemon().name("numbers").unstarted(this::write);
  private final Thread reader = Thread.ofPlatform().daemon().name("reads").unstarted(this::read);
  private volatile boolean stopping;

  private StaleReads(Path written, Path read) {
    this.written = written;
    this.read = read;
  }

  public static StaleReads start(Path written, Path read) throws IOException {
    StaleReads reads = new StaleReads(written, read);
    reads.put(0);
    reads.writer.start();
    reads.reader.start();
    return reads;
  }

  private void put(int number) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    while (bytes.hasRemaining()) {
      bytes.putInt(number);
    }
    try (FileChannel out =
        FileChannel.open(
            written.resolve("number"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      out.write(bytes.flip());
    }
    Files.createFile(written.resolve("name-" + number));
  }

  private void write() {
    try {
      while (!stopping) {
        put(acknowledged.get() + 1);
        acknowledged.incrementAndGet();
        Thread.sleep(PACE);
      }
    } catch (IOException e) {
      failure.set(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    while (!stopping && failure.get() == null) {
      int floor = acknowledged.get();
      try {
        check(floor);
        served.incrementAndGet();
      } catch (NoSuchFileException e) {
        failure.set(new AssertionError("the name of number " + floor + " is missing", e));
      } catch (IOException e) {
        refused.incrementAndGet();
      } catch (AssertionError e) {
        failure.set(e);
      }
    }
  }

  private void check(int floor) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(read.resolve("number")));
    if (bytes.remaining() != BYTES || bytes.getInt(0) < floor) {
      throw new AssertionError(
          "number "
              + floor
              + " was acknowledged, and "
              + bytes.remaining()
              + " bytes of number "
              + bytes.getInt(0)
              + " were read");
    }
    Files.getLastModifiedTime(read.resolve("name-" + floor));
  }

  public void awaitReads(int count) {
    await(() -> served.get() >= count);
  }

  /** Waits for so many numbers more to be acknowledged. */
  public void awaitGenerations(int more) {
    int wanted = acknowledged.get() + more;
    await(() -> acknowledged.get() >= wanted);
  }

  private void await(java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              check();
              return condition.call();
            });
  }

  private void check() {
    Throwable failed = failure.get();
    if (failed != null) {
      throw new AssertionError("stale, or not written", failed);
    }
  }

  public int refused() {
    return refused.get();
  }

  /** Stops, and says what was done. Fails when a read was stale. */
  public String end() {
    close();
    check();
    return acknowledged + " numbers written, " + served + " reads served, " + refused + " refused";
  }

  @Override
  public void close() {
    stopping = true;
    try {
      writer.join(Duration.ofSeconds(60));
      reader.join(Duration.ofSeconds(60));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
