package org.trefoilfs.tools.latency;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.LongStream;

/**
 * Workers that write at random offsets, each to a target of its own, one call after the other: as
 * many as there are targets are under way at once.
 */
final class Load {
  static final int MAX_BYTES = 1 << 20;

  private static final Duration WARM_UP = Duration.ofSeconds(2);

  /** Nothing to be compressed, on the wire or elsewhere. */
  private static final ByteBuffer NOISE = noise();

  private final List<Target> targets;
  private final Duration measured;

  /** What is written in one call, and whether a sync follows each and is measured with it. */
  record Shape(int bytes, boolean synced) {}

  /**
   * @param nanos of each call, sorted
   * @param perSecond calls that ended in a second
   */
  record Sample(long[] nanos, double perSecond) {
    /** Nearest rank; {@code share} of 0.99 is p99. */
    long percentile(double share) {
      return nanos[Math.max(0, (int) Math.ceil(share * nanos.length) - 1)];
    }
  }

  Load(List<Target> targets, Duration measured) {
    this.targets = targets;
    this.measured = measured;
  }

  private static ByteBuffer noise() {
    byte[] bytes = new byte[MAX_BYTES];
    new Random(1).nextBytes(bytes);
    return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  /** Writes the targets' regions once: what is measured afterwards overwrites. */
  static void fill(List<Target> targets) {
    inParallel(
        targets,
        target -> {
          for (int at = 0; at < Target.REGION_BYTES; at += NOISE.capacity()) {
            target.write(at, NOISE);
          }
          target.sync();
          return new long[0];
        });
  }

  Sample run(Shape shape) {
    long began = System.nanoTime() + WARM_UP.toNanos();
    long end = began + measured.toNanos();
    List<long[]> all = inParallel(targets, target -> calls(target, shape, began, end));
    long[] sorted = all.stream().flatMapToLong(LongStream::of).sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalStateException("no call ended within " + measured);
    }
    return new Sample(sorted, sorted.length * 1e9 / measured.toNanos());
  }

  /** How long each call took that ended between the two moments. */
  private static long[] calls(Target target, Shape shape, long began, long end) throws IOException {
    Random random = new Random(Thread.currentThread().threadId());
    ByteBuffer data = NOISE.slice(0, shape.bytes());
    long[] nanos = new long[1024];
    int count = 0;
    while (true) {
      long offset = (long) random.nextInt(Target.REGION_BYTES / shape.bytes()) * shape.bytes();
      long from = System.nanoTime();
      target.write(offset, data);
      if (shape.synced()) {
        target.sync();
      }
      long now = System.nanoTime();
      if (now - end > 0) {
        return Arrays.copyOf(nanos, count);
      }
      if (now - began > 0) {
        if (count == nanos.length) {
          nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = now - from;
      }
    }
  }

  private interface Work {
    long[] with(Target target) throws IOException;
  }

  private static List<long[]> inParallel(List<Target> targets, Work work) {
    List<CompletableFuture<long[]>> running = new ArrayList<>();
    for (Target target : targets) {
      running.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return work.with(target);
                } catch (IOException e) {
                  throw new CompletionException(e);
                }
              },
              task -> Thread.ofPlatform().daemon().name("worker").start(task)));
    }
    return running.stream().map(CompletableFuture::join).toList();
  }
}
