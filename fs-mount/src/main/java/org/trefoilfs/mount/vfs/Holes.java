package org.trefoilfs.mount.vfs;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/**
 * Where files have data and where holes. The storage hosts know: a block of 4 KiB is data unless it
 * is all zeros, whether it was ever written or not. They are asked of files that {@link
 * Attributes#mayHaveHoles} alone, so that stat(2) of others stays one question to the namespace.
 * What waits in the spool of this mount is data, too.
 */
final class Holes {
  /**
   * How long one call goes on asking: some TiB of holes. What is not known then counts as data,
   * which is always right, as it may be read as the zeros that it is.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** Large files, of which one question does not tell all, are not counted anew at each stat(2). */
  private static final Duration COUNT_KEPT = Duration.ofSeconds(10);

  private static final int COUNTS_KEPT = 1000;

  private final Volume volume;
  private final Waiting waiting;
  private final WriteBack writeBack;
  private final TimeSource time;
  private final Cache<Long, Count> counts;

  /** What was counted when the file had this change time. */
  private record Count(long ctime, long size, long allocated) {}

  Holes(Volume volume, Waiting waiting, WriteBack writeBack, TimeSource time) {
    this.volume = volume;
    this.waiting = waiting;
    this.writeBack = writeBack;
    this.time = time;
    this.counts =
        Caffeine.newBuilder()
            .maximumSize(COUNTS_KEPT)
            .expireAfterWrite(COUNT_KEPT)
            .ticker(time::nanoTime)
            .build();
  }

  // ---- st_blocks

  /** The attributes with what the file's data takes. */
  Attributes counted(Attributes of) {
    if (!of.mayHaveHoles()) {
      return of;
    }
    if (of.size() <= Volume.ALLOCATED_MAX) {
      return of.allocated(count(of));
    }
    @Nullable Count known = counts.getIfPresent(of.inode());
    if (known == null || known.ctime() != of.ctime() || known.size() != of.size()) {
      known = new Count(of.ctime(), of.size(), count(of));
      counts.put(of.inode(), known);
    }
    return of.allocated(known.allocated());
  }

  /** What cannot be known in time counts as filled: stat(2) waits for no lost host. */
  private long count(Attributes of) {
    long end = roundUp(of.size());
    long deadline = deadline();
    long sum = 0;
    for (long at = 0; at < end; at += Volume.ALLOCATED_MAX) {
      @Nullable List<DataRange> data = inTime(of.inode(), at, windowEnd(at, end), deadline);
      if (data == null) {
        return sum + end - at;
      }
      sum += data.stream().mapToLong(DataRange::length).sum();
    }
    return sum;
  }

  private @Nullable List<DataRange> inTime(long inode, long from, long to, long deadline) {
    try {
      List<DataRange> held = held(inode, from, to);
      long left = deadline - time.nanoTime();
      @Nullable List<DataRange> stored =
          volume
              .allocated(inode, from, to - from)
              .exceptionally(failure -> null)
              .completeOnTimeout(null, Math.max(0, left), TimeUnit.NANOSECONDS)
              .join();
      return stored == null ? null : joined(held, stored);
    } catch (TrefoilException e) {
      return null;
    }
  }

  // ---- lseek(2)

  /** The first data at the offset or behind it; empty when there is none below the size. */
  OptionalLong nextData(Attributes of, long offset) {
    if (offset < 0 || offset >= of.size()) {
      return OptionalLong.empty();
    }
    if (!of.mayHaveHoles()) {
      return OptionalLong.of(offset);
    }
    long deadline = deadline();
    for (long at = offset; at < of.size(); at = windowEnd(at, of.size())) {
      List<DataRange> data = data(of.inode(), at, windowEnd(at, of.size()));
      if (!data.isEmpty()) {
        return OptionalLong.of(data.getFirst().start());
      }
      if (time.nanoTime() - deadline > 0) {
        return OptionalLong.of(at);
      }
    }
    return OptionalLong.empty();
  }

  /** The first hole at the offset or behind it: the end of the file is one. */
  OptionalLong nextHole(Attributes of, long offset) {
    if (offset < 0 || offset >= of.size()) {
      return OptionalLong.empty();
    }
    if (!of.mayHaveHoles()) {
      return OptionalLong.of(of.size());
    }
    long at = offset;
    while (at < of.size()) {
      long end = windowEnd(at, of.size());
      List<DataRange> data = data(of.inode(), at, end);
      if (data.isEmpty() || data.getFirst().start() > at) {
        return OptionalLong.of(at);
      }
      at = data.getFirst().end();
      if (at < end) {
        return OptionalLong.of(at);
      }
    }
    return OptionalLong.of(of.size());
  }

  // ---- both

  /**
   * Where a part of the file has data, in order.
   *
   * @param to at most {@link Volume#ALLOCATED_MAX} behind {@code from}
   */
  List<DataRange> data(long inode, long from, long to) {
    // The spool first: what is shipped meanwhile is in one of the two.
    List<DataRange> held = held(inode, from, to);
    return joined(held, waiting.read(volume.allocated(inode, from, to - from)));
  }

  private List<DataRange> held(long inode, long from, long to) {
    return writeBack.held(inode).stream()
        .map(range -> new DataRange(roundDown(range.offset()), roundUp(range.end())))
        .map(range -> range.within(from, to))
        .toList();
  }

  private static List<DataRange> joined(List<DataRange> held, List<DataRange> stored) {
    if (held.isEmpty()) {
      return stored;
    }
    List<DataRange> both = new ArrayList<>(held);
    both.addAll(stored);
    return DataRange.union(both);
  }

  /** Windows end where chunks do, so that each chunk is asked about once. */
  static long windowEnd(long from, long end) {
    long aligned = from - from % ChunkId.SIZE;
    return Math.min(end, aligned + Volume.ALLOCATED_MAX);
  }

  private long deadline() {
    return time.nanoTime() + PATIENCE.toNanos();
  }

  private static long roundDown(long bytes) {
    return bytes - bytes % ChunkId.BLOCK;
  }

  private static long roundUp(long bytes) {
    return roundDown(bytes + ChunkId.BLOCK - 1);
  }
}
