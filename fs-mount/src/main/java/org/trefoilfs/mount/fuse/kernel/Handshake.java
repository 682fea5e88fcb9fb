package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * INIT, the first request, in which both sides say what they can.
 *
 * <pre>
 * in    u32 major, minor, max_readahead, flags, flags2, unused[11]
 * out   u32 major, minor, max_readahead, flags; u16 max_background, congestion_threshold;
 *       u32 max_write, time_gran; u16 max_pages, map_alignment; u32 flags2, unused[7]
 * </pre>
 *
 * @param minor the version that both speak: 7.minor
 * @param readAhead bytes that the kernel would read ahead, which it may
 * @param flags what both can
 * @param flags2 those behind the first 32
 * @param resends whether the kernel gives unanswered requests to the next daemon: Linux 6.9
 */
record Handshake(int minor, int readAhead, int flags, int flags2, boolean resends) {
  private static final int MAJOR = 7;

  /** Linux 4.20: the first with requests of more than 32 pages. */
  private static final int OLDEST_MINOR = 28;

  /** Linux 5.19; what came later is not used. */
  private static final int NEWEST_MINOR = 36;

  private static final int OUT = 64;
  private static final int NANOSECOND = 1;

  // FUSE_* of linux/fuse.h.
  private static final int ASYNC_READ = 1;

  /** fcntl(2) and flock(2) locks are asked for here; without, the kernel keeps its own. */
  private static final int POSIX_LOCKS = 1 << 1;

  private static final int BIG_WRITES = 1 << 5;

  /** The kernel leaves umasks to us, who know whether a directory has a default list. */
  private static final int DONT_MASK = 1 << 6;

  private static final int FLOCK_LOCKS = 1 << 10;

  /** Attributes are asked for before pages are read, and pages go with another size or time. */
  private static final int AUTO_INVAL_DATA = 1 << 12;

  private static final int PARALLEL_DIROPS = 1 << 18;

  /** The kernel checks access control lists, which it asks for as extended attributes. */
  private static final int POSIX_ACL = 1 << 20;

  private static final int MAX_PAGES = 1 << 22;

  /** There are flags2. */
  private static final int INIT_EXT = 1 << 30;

  /** Of flags2, bit 36 of both: what goes past the page cache can be mapped all the same. */
  private static final int DIRECT_IO_ALLOW_MMAP = 1 << 4;

  /** Bit 39. */
  private static final int HAS_RESEND = 1 << 7;

  private static final int WANTED =
      POSIX_LOCKS
          | FLOCK_LOCKS
          | ASYNC_READ
          | BIG_WRITES
          | AUTO_INVAL_DATA
          | PARALLEL_DIROPS
          | MAX_PAGES
          | INIT_EXT;

  /**
   * Fails with NOT_SUPPORTED when the kernel is too old.
   *
   * @param accessLists whether they are to be checked
   */
  static Handshake of(RequestFrame init, boolean accessLists) {
    int major = init.u32();
    int minor = init.u32();
    if (major != MAJOR || minor < OLDEST_MINOR) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          "this kernel speaks FUSE %d.%d, and the kernel transport needs %d.%d (Linux 4.20): use --transport libfuse"
              .formatted(major, minor, MAJOR, OLDEST_MINOR));
    }
    int readAhead = init.u32();
    int flags = init.u32();
    int flags2 = (flags & INIT_EXT) != 0 ? init.u32() : 0;
    int wanted = accessLists ? WANTED | POSIX_ACL | DONT_MASK : WANTED;
    return new Handshake(
        Math.min(minor, NEWEST_MINOR),
        readAhead,
        flags & wanted,
        flags2 & DIRECT_IO_ALLOW_MMAP,
        (flags2 & HAS_RESEND) != 0);
  }

  /** The body of the reply. */
  ByteBuffer reply(int maxBackground, int congestionThreshold) {
    ByteBuffer out = ByteBuffer.allocate(OUT).order(ByteOrder.nativeOrder());
    out.putInt(MAJOR).putInt(minor).putInt(readAhead).putInt(flags);
    out.putShort((short) maxBackground).putShort((short) congestionThreshold);
    out.putInt(RequestBuffer.MAX_IO).putInt(NANOSECOND);
    out.putShort((short) (RequestBuffer.MAX_IO / RequestBuffer.PAGE)).putShort((short) 0);
    out.putInt(flags2);
    return out.rewind();
  }
}
