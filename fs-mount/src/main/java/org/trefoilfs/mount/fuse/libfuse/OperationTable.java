package org.trefoilfs.mount.fuse.libfuse;

import java.util.ArrayList;
import java.util.List;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** {@code struct fuse_lowlevel_ops} of libfuse 2.9: function pointers in this order. */
final class OperationTable {
  /** Places in the structure; those without a name here stay null, which libfuse answers. */
  enum Slot {
    INIT(0),
    LOOKUP(2),
    GETATTR(4),
    SETATTR(5),
    READLINK(6),
    MKNOD(7),
    MKDIR(8),
    UNLINK(9),
    RMDIR(10),
    SYMLINK(11),
    RENAME(12),
    LINK(13),
    OPEN(14),
    READ(15),
    WRITE(16),
    FLUSH(17),
    RELEASE(18),
    FSYNC(19),
    OPENDIR(20),
    READDIR(21),
    RELEASEDIR(22),
    FSYNCDIR(23),
    STATFS(24),
    SETXATTR(25),
    GETXATTR(26),
    LISTXATTR(27),
    REMOVEXATTR(28),
    CREATE(30),
    GETLK(31),
    SETLK(32),
    FLOCK(39),
    FALLOCATE(40);

    private final int index;

    Slot(int index) {
      this.index = index;
    }
  }

  private static final int SLOTS = 41;

  private final Runtime runtime;
  private final Pointer memory;

  /** jnr frees a closure when its object is collected, so they are held here. */
  private final List<Object> held = new ArrayList<>();

  OperationTable(Runtime runtime) {
    this.runtime = runtime;
    this.memory = Memory.allocateDirect(runtime, size(), true);
  }

  <T> OperationTable put(Slot slot, Class<T> shape, T callback) {
    held.add(callback);
    Pointer function = runtime.getClosureManager().getClosurePointer(shape, callback);
    memory.putPointer((long) slot.index * runtime.addressSize(), function);
    return this;
  }

  Pointer memory() {
    return memory;
  }

  long size() {
    return (long) SLOTS * runtime.addressSize();
  }
}
