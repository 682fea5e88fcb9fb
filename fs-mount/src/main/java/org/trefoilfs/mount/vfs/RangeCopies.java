package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import org.trefoilfs.mount.layout.FileLayout;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/**
 * copy_file_range(2): this mount reads and writes, so that the bytes go neither through the kernel
 * nor through the caller, and holes stay holes. What it does is what the caller could do by
 * pread(2), pwrite(2) and fallocate(2), so leases, locks and the spool need not know of it.
 */
final class RangeCopies {
  /** Read and written at once. */
  private static final int STEP = 1 << 20;

  /**
   * Data that one call copies: it then returns less than it was asked for, as it may, so that it
   * never takes long. Holes are counted as {@link Volume#ALLOCATED_MAX} counts.
   */
  private static final long MOST = 16L << 20;

  private final FileData data;
  private final Holes holes;

  RangeCopies(FileData data, Holes holes) {
    this.data = data;
    this.holes = holes;
  }

  /**
   * One side of a copy.
   *
   * @param session in which alone it may be written; empty: in whatever the mount has
   */
  record Side(OpenInode file, long offset, OptionalLong session) {}

  /**
   * How many bytes were copied: fewer than {@code length} also when the source ends before; 0 when
   * there is nothing at its offset. Fails with INVALID for ranges of one file that overlap.
   */
  long copy(Side from, Attributes source, Side to, long length, Caller caller) {
    FileLayout.end(to.offset(), length);
    checkOverlap(from, to, length);
    long end = Math.min(FileLayout.end(from.offset(), length), source.size());
    long at = from.offset();
    if (at >= end) {
      return 0;
    }
    end = Holes.windowEnd(at, end);
    long copied = 0;
    for (DataRange range : ranges(source, at, end)) {
      if (range.start() > at) {
        clear(to, at - from.offset(), range.start() - at);
        at = range.start();
      }
      while (at < range.end()) {
        if (copied >= MOST) {
          return at - from.offset();
        }
        int count = (int) Math.min(STEP, range.end() - at);
        ByteBuffer bytes = data.read(from.file(), at, count);
        if (!bytes.hasRemaining()) { // cut off meanwhile
          return at - from.offset();
        }
        long target = to.offset() + at - from.offset();
        data.write(to.file(), new WriteRequest(target, bytes, 0, caller), to.session());
        at += bytes.remaining();
        copied += bytes.remaining();
      }
    }
    if (at < end) {
      clear(to, at - from.offset(), end - at);
    }
    return end - from.offset();
  }

  private List<DataRange> ranges(Attributes source, long from, long to) {
    return source.mayHaveHoles()
        ? holes.data(source.inode(), from, to)
        : List.of(new DataRange(from, to));
  }

  /** A hole, which the file reaches over: what lay there goes. */
  private void clear(Side to, long skipped, long length) {
    AllocateRequest hole = new AllocateRequest.Zero(to.offset() + skipped, length, true);
    data.allocate(to.file(), hole, to.session());
  }

  private static void checkOverlap(Side from, Side to, long length) {
    if (from.file().number() == to.file().number()
        && from.offset() < to.offset() + length
        && to.offset() < from.offset() + length) {
      throw new TrefoilException(
          Reason.INVALID,
          "a range of inode " + from.file().number() + " cannot be copied over a part of itself");
    }
  }
}
