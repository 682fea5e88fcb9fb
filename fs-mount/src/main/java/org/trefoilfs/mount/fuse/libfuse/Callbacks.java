package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;
import jnr.ffi.types.size_t;

/**
 * The shapes of {@code struct fuse_lowlevel_ops}' functions. Names arrive as pointers: jnr's
 * strings would lose bytes that are not of the platform's charset. Public for jnr-ffi, which calls
 * them.
 */
public final class Callbacks {
  private Callbacks() {}

  /** init. */
  public interface Init {
    @Delegate
    void call(Pointer userData, Pointer connection);
  }

  /** readlink, statfs. */
  public interface OfInode {
    @Delegate
    void call(long request, long inode);
  }

  /** lookup, unlink, rmdir, removexattr (name); getattr, open, flush, release (file info). */
  public interface WithPointer {
    @Delegate
    void call(long request, long inode, Pointer nameOrFile);
  }

  /** mkdir. */
  public interface WithMode {
    @Delegate
    void call(long request, long parent, Pointer name, int mode);
  }

  /** setattr (stat, which, file info); create (name, mode, file info). */
  public interface WithTwoPointers {
    @Delegate
    void call(long request, long inode, Pointer first, int number, Pointer file);
  }

  /** mknod. */
  public interface MakeNode {
    @Delegate
    void call(long request, long parent, Pointer name, int mode, long device);
  }

  /** symlink. */
  public interface Symlink {
    @Delegate
    void call(long request, Pointer target, long parent, Pointer name);
  }

  /** rename. */
  public interface Rename {
    @Delegate
    void call(long request, long parent, Pointer name, long newParent, Pointer newName);
  }

  /** link. */
  public interface Link {
    @Delegate
    void call(long request, long inode, long newParent, Pointer newName);
  }

  /** read, readdir. */
  public interface Read {
    @Delegate
    void call(long request, long inode, @size_t long size, long offset, Pointer file);
  }

  /** write. */
  public interface Write {
    @Delegate
    void call(long request, long inode, Pointer data, @size_t long size, long offset, Pointer file);
  }

  /** fsync, fsyncdir. */
  public interface Sync {
    @Delegate
    void call(long request, long inode, int dataOnly, Pointer file);
  }

  /** setxattr. */
  public interface SetXattr {
    @Delegate
    void call(long request, long inode, Pointer name, Pointer value, @size_t long size, int flags);
  }

  /** getxattr. */
  public interface GetXattr {
    @Delegate
    void call(long request, long inode, Pointer name, @size_t long size);
  }

  /** listxattr. */
  public interface ListXattr {
    @Delegate
    void call(long request, long inode, @size_t long size);
  }

  /** fallocate. */
  public interface Allocate {
    @Delegate
    void call(long request, long inode, int mode, long offset, long length, Pointer file);
  }

  /** getlk (struct flock). */
  public interface GetLock {
    @Delegate
    void call(long request, long inode, Pointer file, Pointer lock);
  }

  /** setlk (struct flock). */
  public interface SetLock {
    @Delegate
    void call(long request, long inode, Pointer file, Pointer lock, int sleep);
  }

  /** flock (LOCK_* of sys/file.h). */
  public interface Flock {
    @Delegate
    void call(long request, long inode, Pointer file, int operation);
  }

  /** fuse_interrupt_func_t; the data is not used. */
  public interface Interrupted {
    @Delegate
    void call(long request, long data);
  }
}
