package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.Pointer;

/**
 * {@code struct fuse_file_info} of libfuse 2.9, LP64. jnr-fuse's own structure has its bits at the
 * wrong place.
 *
 * <pre>
 *  0 int flags            8 long fh_old        16 int writepage
 * 20 unsigned bits: 1 direct_io, 2 keep_cache, 4 flush, 8 nonseekable, ...
 * 24 u64 fh              32 u64 lock_owner
 * </pre>
 */
final class FileInfo {
  static final int SIZE = 40;
  private static final int FLAGS = 0;
  private static final int BITS = 20;
  private static final int HANDLE = 24;
  private static final int LOCK_OWNER = 32;
  private static final int DIRECT_IO = 1;

  private FileInfo() {}

  static int flags(Pointer file) {
    return file.getInt(FLAGS);
  }

  static long handle(Pointer file) {
    return file.getLongLong(HANDLE);
  }

  static long lockOwner(Pointer file) {
    return file.getLongLong(LOCK_OWNER);
  }

  static void clear(Pointer file) {
    file.setMemory(0, SIZE, (byte) 0);
  }

  static void setHandle(Pointer file, long handle) {
    file.putLongLong(HANDLE, handle);
  }

  static void setDirectIo(Pointer file) {
    file.putInt(BITS, file.getInt(BITS) | DIRECT_IO);
  }
}
