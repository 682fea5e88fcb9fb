package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Measures how long calls on a mount take: creates, writes, syncs, stats, reads, renames, lists and
 * removes files, one call after another, and says how long each kind took at worst. A thread that
 * only sleeps measures how long the machine held the whole process back, so that the two are not
 * confused.
 */
public final class StallProbe {
  /** Directory entries while it runs, so that listing has something to list. */
  private static final int FILES = 32;

  private static final long NAP_NANOS = 5_000_000;

  private final Path directory;
  private final Map<String, Long> worstNanos = new TreeMap<>();
  private final ByteBuffer page = ByteBuffer.allocate(4096);

  private StallProbe(Path directory) {
    this.directory = directory;
  }

  /**
   * What was measured, in milliseconds.
   *
   * @param worst by kind of call
   * @param rounds of one call of each kind
   * @param late how long the machine held the probe back at worst
   */
  record Result(Map<String, Long> worst, long rounds, long late) {
    static Result of(String output) {
      Map<String, Long> values = new TreeMap<>();
      for (String line : output.lines().toList()) {
        String[] words = line.split(" ");
        if (words.length != 2 || !words[1].matches("\\d+")) {
          throw new AssertionError("a call of the probe failed: " + output);
        }
        values.put(words[0], Long.parseLong(words[1]));
      }
      if (!values.containsKey("rounds")) {
        throw new AssertionError("the probe did not end well: " + output);
      }
      return new Result(values, values.remove("rounds"), values.remove("late"));
    }

    /** How long a call took at worst, less what the machine held back. */
    long stall() {
      return Math.max(0, worst.getOrDefault(slowest(), 0L) - late);
    }

    /** Which kind of call took longest. */
    String slowest() {
      return worst.entrySet().stream()
          .max(Map.Entry.comparingByValue())
          .map(Map.Entry::getKey)
          .orElse("no call");
    }
  }

  static Companion start(Path directory) {
    return Companion.start(StallProbe.class, directory.toString());
  }

  /** Argument: a directory of the mount, which is created. */
  public static void main(String[] arguments) throws IOException {
    Companion.Until until = Companion.Until.inputEnds();
    AtomicLong lateNanos = new AtomicLong();
    Thread.ofPlatform().daemon().start(() -> measureLateness(lateNanos));
    StallProbe probe = new StallProbe(Files.createDirectories(Path.of(arguments[0])));
    long rounds = 0;
    while (!until.isOver()) {
      probe.round(rounds++);
      Companion.think();
    }
    probe.worstNanos.forEach((kind, nanos) -> System.out.println(kind + " " + nanos / 1_000_000));
    System.out.println("rounds " + rounds);
    System.out.println("late " + lateNanos.get() / 1_000_000);
    System.exit(0);
  }

  private void round(long round) throws IOException {
    Path file = directory.resolve("f" + round);
    Path renamed = directory.resolve("r" + round);
    page.clear().putLong(0, round);
    try (FileChannel channel =
        timed(
            "create",
            () ->
                FileChannel.open(
                    file,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE))) {
      timed("write", () -> channel.write(page, 0));
      timed(
          "fsync",
          () -> {
            channel.force(true);
            return 0;
          });
      page.clear();
      int read = timed("read", () -> channel.read(page, 0));
      if (read != page.capacity() || page.getLong(0) != round) {
        throw new IOException("what was read back is not what was written, in round " + round);
      }
    }
    timed("stat", () -> Files.size(file));
    timed("rename", () -> Files.move(file, renamed));
    timed("list", () -> count(directory));
    Path old = directory.resolve("r" + (round - FILES));
    if (round >= FILES) {
      timed(
          "unlink",
          () -> {
            Files.delete(old);
            return 0;
          });
    }
  }

  private interface Call<T> {
    T run() throws IOException;
  }

  private <T> T timed(String kind, Call<T> call) throws IOException {
    long began = System.nanoTime();
    try {
      return call.run();
    } catch (IOException e) {
      throw new IOException(kind + " failed: " + e, e);
    } finally {
      worstNanos.merge(kind, System.nanoTime() - began, Math::max);
    }
  }

  private static long count(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.count();
    }
  }

  private static void measureLateness(AtomicLong worst) {
    while (true) {
      long began = System.nanoTime();
      LockSupport.parkNanos(NAP_NANOS);
      worst.accumulateAndGet(System.nanoTime() - began - NAP_NANOS, Math::max);
    }
  }
}
