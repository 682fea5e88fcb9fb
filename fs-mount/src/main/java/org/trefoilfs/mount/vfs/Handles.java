package org.trefoilfs.mount.vfs;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Numbers that stand for open files and directories of this mount. Never reused. */
final class Handles<T> {
  /** More than a host's default fs.file-max share ever needs; keeps a leak from eating the heap. */
  static final int LIMIT = 1 << 20;

  private final ConcurrentMap<Long, T> open = new ConcurrentHashMap<>();
  private final AtomicLong last;

  /**
   * @param before numbers up to this one are an earlier daemon's
   */
  Handles(long before) {
    last = new AtomicLong(before);
  }

  /** What an earlier daemon had given this number to. */
  T restored(long number, Supplier<T> value) {
    return open.computeIfAbsent(number, unknown -> value.get());
  }

  long add(T value) {
    if (open.size() >= LIMIT) {
      throw new TrefoilException(
          Reason.BUSY, LIMIT + " files are open at this mount; close some of them");
    }
    long number = last.incrementAndGet();
    open.put(number, value);
    return number;
  }

  T get(long number) {
    return known(number, open.get(number));
  }

  T remove(long number) {
    return known(number, open.remove(number));
  }

  private static <T> T known(long number, @org.jspecify.annotations.Nullable T value) {
    if (value == null) {
      throw new TrefoilException(Reason.STALE, "file handle " + number + " is not open");
    }
    return value;
  }
}
