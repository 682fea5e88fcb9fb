package org.trefoilfs.mount.fuse.libfuse;

import java.nio.ByteBuffer;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.vfs.Capacity;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/**
 * Native memory of one worker, in which it lays out replies.
 *
 * <p>{@code struct fuse_entry_param}: u64 ino, u64 generation, struct stat, two doubles of
 * time-outs. Those stay zero: the kernel may remember nothing, as another mount may change it.
 */
final class Scratch {
  static final int NAME_MAX = 255;
  private static final int STAT = 16;
  private static final int TIMEOUTS = 16;

  /** What stat(2) advises as the size of reads and writes: one request of this protocol. */
  private static final int PREFERRED_IO = 131072;

  private static final int BLOCK = 4096;
  private static final long NANOS = 1_000_000_000L;

  private final Pointer entry;
  private final FileStat stat;
  private final Pointer fileInfo;
  private final Pointer data;
  private final Statvfs statvfs;

  Scratch(Runtime runtime, int dataSize) {
    stat = new FileStat(runtime);
    int size = STAT + Struct.size(stat) + TIMEOUTS;
    entry = Memory.allocateDirect(runtime, size, true);
    stat.useMemory(entry.slice(STAT));
    fileInfo = Memory.allocateDirect(runtime, FileInfo.SIZE, true);
    data = Memory.allocateDirect(runtime, dataSize);
    statvfs = new Statvfs(runtime);
    statvfs.useMemory(Memory.allocateDirect(runtime, Struct.size(statvfs), true));
  }

  /** An entry whose node number differs from the inode's only for the root. */
  Pointer entry(long node, Attributes attributes) {
    stat(attributes);
    entry.putLongLong(0, node);
    return entry;
  }

  Pointer stat(Attributes attributes) {
    stat.st_ino.set(attributes.inode());
    stat.st_mode.set(attributes.mode());
    stat.st_nlink.set(attributes.nlink());
    stat.st_uid.set(attributes.uid());
    stat.st_gid.set(attributes.gid());
    stat.st_rdev.set(attributes.rdev());
    stat.st_size.set(attributes.size());
    stat.st_blksize.set(PREFERRED_IO);
    stat.st_blocks.set(attributes.sectors());
    set(stat.st_atim, attributes.atime());
    set(stat.st_mtim, attributes.mtime());
    set(stat.st_ctim, attributes.ctime());
    return Struct.getMemory(stat);
  }

  private static void set(Timespec to, long nanos) {
    to.tv_sec.set(Math.floorDiv(nanos, NANOS));
    to.tv_nsec.set(Math.floorMod(nanos, NANOS));
  }

  Pointer opened(long handle) {
    FileInfo.clear(fileInfo);
    FileInfo.setHandle(fileInfo, handle);
    return fileInfo;
  }

  Pointer statvfs(Capacity capacity) {
    statvfs.f_bsize.set(BLOCK);
    statvfs.f_frsize.set(BLOCK);
    statvfs.f_blocks.set(capacity.totalBytes() / BLOCK);
    statvfs.f_bfree.set(capacity.freeBytes() / BLOCK);
    statvfs.f_bavail.set(capacity.freeBytes() / BLOCK);
    statvfs.f_files.set(capacity.totalInodes());
    statvfs.f_ffree.set(capacity.freeInodes());
    statvfs.f_favail.set(capacity.freeInodes());
    statvfs.f_namemax.set(NAME_MAX);
    return Struct.getMemory(statvfs);
  }

  Pointer flock(Reply.Conflict conflict) {
    Flock.write(data, conflict);
    return data;
  }

  /** The bytes in native memory; valid until the next use. */
  Pointer bytes(ByteBuffer source) {
    int length = source.remaining();
    if (source.hasArray()) {
      data.put(0, source.array(), source.arrayOffset() + source.position(), length);
    } else {
      byte[] copy = new byte[length];
      source.get(source.position(), copy);
      data.put(0, copy, 0, length);
    }
    return data;
  }

  /** The bytes with a NUL after them. */
  Pointer terminated(byte[] source) {
    data.put(0, source, 0, source.length);
    data.putByte(source.length, (byte) 0);
    return data;
  }
}
