package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.types.size_t;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The functions of libfuse.so.2 that are used, as in fuse_lowlevel.h and fuse_common.h of 2.9.
 * Public for jnr-ffi, which implements it. A {@code fuse_req_t} is passed as the number that it is.
 */
public interface Libfuse {
  int fuse_opt_add_arg(Pointer args, String argument);

  void fuse_opt_free_args(Pointer args);

  @Nullable Pointer fuse_mount(String mountPoint, Pointer args);

  void fuse_unmount(String mountPoint, Pointer channel);

  @Nullable Pointer fuse_lowlevel_new(
      Pointer args, Pointer operations, @size_t long size, @Nullable Pointer userData);

  void fuse_session_add_chan(Pointer session, Pointer channel);

  void fuse_session_remove_chan(Pointer channel);

  void fuse_session_destroy(Pointer session);

  int fuse_session_exited(Pointer session);

  void fuse_session_exit(Pointer session);

  @size_t
  long fuse_chan_bufsize(Pointer channel);

  int fuse_chan_recv(Pointer channelRef, Pointer buffer, @size_t long size);

  void fuse_session_process(Pointer session, Pointer buffer, @size_t long length, Pointer channel);

  Pointer fuse_req_ctx(long request);

  void fuse_req_interrupt_func(long request, Pointer function, long data);

  int fuse_reply_lock(long request, Pointer lock);

  int fuse_reply_err(long request, int errno);

  int fuse_reply_entry(long request, Pointer entry);

  int fuse_reply_create(long request, Pointer entry, Pointer fileInfo);

  int fuse_reply_attr(long request, Pointer stat, double timeout);

  int fuse_reply_readlink(long request, Pointer target);

  int fuse_reply_open(long request, Pointer fileInfo);

  int fuse_reply_write(long request, @size_t long count);

  int fuse_reply_buf(long request, Pointer data, @size_t long length);

  int fuse_reply_statfs(long request, Pointer statvfs);

  int fuse_reply_xattr(long request, @size_t long length);

  /** Loads it; NOT_SUPPORTED, with the remedy, when it is not installed. */
  static Libfuse load() {
    try {
      return LibraryLoader.create(Libfuse.class).failImmediately().load("libfuse.so.2");
    } catch (UnsatisfiedLinkError e) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          "libfuse.so.2 cannot be loaded: `apt install libfuse2` (or libfuse2t64, fuse-libs); "
              + e.getMessage(),
          e);
    }
  }

  static Runtime runtime(Libfuse library) {
    return Runtime.getRuntime(library);
  }
}
