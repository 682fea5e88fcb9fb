package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Nodes;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Limits;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.mount.vfs.KernelPages;
import org.trefoilfs.mount.vfs.Vfs;

/**
 * Lays out the bodies of replies. Names and attributes are valid for as long as the {@link
 * LookupCache} says of what was looked at; of what was changed just now the kernel remembers
 * nothing.
 */
final class ReplyEncoder {
  private static final int ENTRY = 128;
  private static final int ATTRIBUTES_OUT = 104;
  private static final int OPEN = 16;
  private static final int STATFS = 80;
  private static final int COUNT = 8;
  private static final int LOCK = 24;

  /** FOPEN_DIRECT_IO and FOPEN_KEEP_CACHE of linux/fuse.h. */
  private static final int DIRECT_IO = 1;

  private static final int KEEP_CACHE = 2;

  /** Where an entry has its validity: seconds, nanoseconds. */
  private static final int[] ENTRY_VALID = {16, 32};

  private static final int[] ATTRIBUTES_VALID = {24, 36};

  private static final int BLOCK = 4096;
  private static final long NANOS = 1_000_000_000L;
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final Nodes nodes;
  private final LookupCache cache;
  private final KernelPages pages;

  ReplyEncoder(Answers answers) {
    this.nodes = answers.nodes();
    this.cache = answers.cache();
    this.pages = answers.pages();
  }

  /** What follows the header; not a copy where the reply is bytes. */
  ByteBuffer body(Reply reply) {
    return switch (reply) {
      case Reply.Errno(int errno) -> EMPTY;
      case Reply.Entry(var attributes) -> entry(sized(ENTRY), attributes).flip();
      case Reply.Looked looked -> looked(looked);
      case Reply.Created(Vfs.Opened(long handle, var attributes)) ->
          opened(entry(sized(ENTRY + OPEN), attributes), handle, DIRECT_IO).flip();
      case Reply.Stat(var attributes) -> stat(attributes);
      case Reply.Opened(long handle, boolean keepsPages) ->
          opened(sized(OPEN), handle, keepsPages ? KEEP_CACHE : DIRECT_IO).flip();
      case Reply.OpenedDirectory(long handle) -> opened(sized(OPEN), handle, 0).flip();
      case Reply.Written(int count) -> sized(COUNT).putInt(0, count);
      case Reply.Offset(long value) -> sized(COUNT).putLong(0, value);
      case Reply.Data(var bytes) -> bytes;
      case Reply.Target(byte[] path) -> ByteBuffer.wrap(path);
      case Reply.Length(int bytes) -> sized(COUNT).putInt(0, bytes);
      case Reply.Room(var capacity) -> room(capacity);
      case Reply.Locked(var lock) -> EMPTY;
      case Reply.Conflict conflict -> lock(conflict);
    };
  }

  private static ByteBuffer sized(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }

  /** Whether the kernel is to remember some of it, if it may at all. */
  static boolean isRemembered(Reply reply) {
    return reply instanceof Reply.Looked || reply instanceof Reply.Stat;
  }

  /** As {@link #entry}; nothing there is node 0, and an error if that is not to be remembered. */
  private ByteBuffer looked(Reply.Looked of) {
    Attributes found = of.attributes();
    long inode = found == null ? 0 : found.inode();
    long entryNanos = cache.entryNanos(of.parent(), of.name(), inode);
    if (found == null && entryNanos == 0) {
      return EMPTY;
    }
    ByteBuffer out = sized(ENTRY);
    if (found != null) {
      entry(out, found);
      valid(out, ATTRIBUTES_VALID, attributeNanos(found));
    }
    valid(out, ENTRY_VALID, entryNanos);
    return out.rewind().limit(ENTRY);
  }

  /** u64 seconds at one place, u32 nanoseconds at another. */
  private static void valid(ByteBuffer out, int[] at, long nanos) {
    out.putLong(at[0], nanos / NANOS).putInt(at[1], (int) (nanos % NANOS));
  }

  /** With attributes that it need not ask for, the kernel uses pages without asking. */
  private long attributeNanos(Attributes of) {
    return of.mayHaveHoles() || !pages.trusts(of) ? 0 : cache.attributeNanos(of);
  }

  /** u64 attr_valid; u32 its nanoseconds, padding; attributes. */
  private ByteBuffer stat(Attributes of) {
    ByteBuffer out = attributes(sized(ATTRIBUTES_OUT).position(16), of).flip();
    long nanos = attributeNanos(of);
    return out.putLong(0, nanos / NANOS).putInt(8, (int) (nanos % NANOS));
  }

  /** u64 nodeid, generation, entry_valid, attr_valid; u32 their nanoseconds; attributes. */
  private ByteBuffer entry(ByteBuffer out, Attributes of) {
    out.putLong(nodes.node(of.inode())).position(40);
    return attributes(out, of);
  }

  /**
   * u64 ino, size, blocks, atime, mtime, ctime; u32 nanoseconds of the three, mode, nlink, uid,
   * gid, rdev, blksize, flags.
   */
  private static ByteBuffer attributes(ByteBuffer out, Attributes of) {
    out.putLong(of.inode()).putLong(of.size());
    out.putLong(of.sectors());
    out.putLong(seconds(of.atime())).putLong(seconds(of.mtime())).putLong(seconds(of.ctime()));
    out.putInt(nanos(of.atime())).putInt(nanos(of.mtime())).putInt(nanos(of.ctime()));
    out.putInt(of.mode()).putInt(of.nlink()).putInt(of.uid()).putInt(of.gid());
    return out.putInt((int) of.rdev()).putInt(RequestBuffer.MAX_IO).putInt(0);
  }

  private static long seconds(long nanos) {
    return Math.floorDiv(nanos, NANOS);
  }

  private static int nanos(long nanos) {
    return (int) Math.floorMod(nanos, NANOS);
  }

  /** u64 fh; u32 open_flags, padding. */
  private static ByteBuffer opened(ByteBuffer out, long handle, int flags) {
    return out.putLong(handle).putInt(flags).putInt(0);
  }

  /** u64 blocks, bfree, bavail, files, ffree; u32 bsize, namelen, frsize, padding, spare[6]. */
  private static ByteBuffer room(Capacity of) {
    ByteBuffer out = sized(STATFS);
    long free = of.freeBytes() / BLOCK;
    out.putLong(of.totalBytes() / BLOCK).putLong(free).putLong(free);
    out.putLong(of.totalInodes()).putLong(of.freeInodes());
    return out.putInt(BLOCK).putInt(Limits.NAME).putInt(BLOCK).rewind();
  }

  /** u64 start, end; u32 type, pid. */
  private static ByteBuffer lock(Reply.Conflict of) {
    ByteBuffer out = sized(LOCK).putLong(of.range().start()).putLong(of.range().end());
    return out.putInt(of.type()).putInt(of.pid()).flip();
  }
}
