package org.trefoilfs.mount.fuse.kernel;

import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Later;
import org.trefoilfs.mount.fuse.LockArguments;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.vfs.LockPatience;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.WriteRequest;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * From frames to the {@link Answers}. Each method reads the {@code struct fuse_*_in} of its request
 * (linux/fuse.h) in the order of its fields; what is skipped is named beside it.
 */
final class KernelRequests {
  /** RENAME_NOREPLACE and RENAME_EXCHANGE of linux/fs.h. */
  private static final int NO_REPLACE = 1;

  private static final int EXCHANGE = 2;

  /** FUSE_LK_FLOCK of linux/fuse.h. */
  private static final int FLOCK = 1;

  /** FUSE_GETATTR_FH. */
  private static final int GETATTR_FH = 1;

  /** FUSE_WRITE_CACHE. */
  private static final int WRITE_CACHE = 1;

  /** FUSE_FSYNC_FDATASYNC. */
  private static final int FSYNC_DATA_ONLY = 1;

  private final Answers answers;

  KernelRequests(Answers answers) {
    this.answers = answers;
  }

  /** Fails with INVALID when the frame is too short, else as the Vfs does. */
  Reply answer(Opcode opcode, RequestFrame in) {
    long node = in.node();
    return switch (opcode) {
      case LOOKUP -> answers.lookup(node, in.name());
      case GETATTR -> getattr(in);
      case SETATTR -> answers.setattr(node, AttributesIn.read(in));
      case READLINK -> answers.readlink(node);
      case SYMLINK -> symlink(in);
      case MKNOD -> mknod(in);
      case MKDIR -> mkdir(in);
      case UNLINK -> answers.unlink(node, in.name());
      case RMDIR -> answers.rmdir(node, in.name());
      case RENAME -> rename(in, in.u64(), 0);
      case RENAME2 -> rename2(in);
      case LINK -> answers.link(in.u64(), node, in.name());
      case STATFS -> answers.statfs();
      case OPEN -> answers.open(node, in.u32());
      case CREATE -> create(in);
      case READ -> read(in);
      case WRITE -> write(in);
      case FLUSH -> flush(in);
      case RELEASE -> answers.release(in.u64());
      case FSYNC -> answers.fsync(in.u64(), (in.u32() & FSYNC_DATA_ONLY) != 0);
      case FALLOCATE -> fallocate(in);
      case LSEEK -> lseek(in);
      case COPY_FILE_RANGE -> new Reply.Written((int) copyFileRange(in));
      case COPY_FILE_RANGE_64 -> new Reply.Offset(copyFileRange(in));
      case OPENDIR -> answers.opendir(node);
      case READDIR -> answers.readdir(in.u64(), node, in.u64(), in.u32());
      case RELEASEDIR -> answers.releasedir(in.u64());
      case FSYNCDIR -> answers.fsyncdir();
      case SETXATTR -> setxattr(in);
      case GETXATTR -> getxattr(in);
      case LISTXATTR -> answers.listxattr(node, in.caller(), Integer.toUnsignedLong(in.u32()));
      case REMOVEXATTR -> answers.removexattr(node, in.name());
      case GETLK -> answers.getlk(in.u64(), lock(in));
      case SETLK, SETLKW -> throw new IllegalArgumentException(opcode + " is answered later");
    };
  }

  /** The calls of which {@link Opcode#isLater} says so. Fails with INVALID as above. */
  Later later(Opcode opcode, RequestFrame in) {
    LockPatience patience = opcode == Opcode.SETLKW ? LockPatience.WAIT : LockPatience.NONE;
    return answers.setlk(in.u64(), lock(in), patience);
  }

  /** After u64 fh: u64 owner; u64 start, end; u32 type, pid; u32 lk_flags, padding. */
  private static LockArguments lock(RequestFrame in) {
    long owner = in.u64();
    LockRange range = new LockRange(in.u64(), in.u64());
    int type = in.u32();
    int pid = in.u32();
    LockKind kind = (in.u32() & FLOCK) == 0 ? LockKind.POSIX : LockKind.FLOCK;
    return new LockArguments(kind, owner, type, range, pid);
  }

  /**
   * u32 getattr_flags, dummy; u64 fh. With a handle it is the read path of the kernel that asks.
   */
  private Reply getattr(RequestFrame in) {
    return (in.u32() & GETATTR_FH) != 0
        ? answers.getattrForRead(in.node())
        : answers.getattr(in.node());
  }

  /** u64 fh; u32 unused, padding; u64 lock_owner. */
  private Reply flush(RequestFrame in) {
    long handle = in.u64();
    return answers.flush(handle, in.skip(8).u64());
  }

  private Reply symlink(RequestFrame in) {
    byte[] name = in.name();
    return answers.make(in.node(), name, Answers.symlink(in.name(), in.caller()));
  }

  /** u32 mode, rdev, umask, padding; name. */
  private Reply mknod(RequestFrame in) {
    int mode = in.u32();
    long device = Integer.toUnsignedLong(in.u32());
    int umask = in.u32();
    byte[] name = in.skip(4).name();
    return answers.make(in.node(), name, Answers.node(mode, umask, device, in.caller()));
  }

  /** u32 mode, umask; name. */
  private Reply mkdir(RequestFrame in) {
    int mode = in.u32();
    int umask = in.u32();
    byte[] name = in.name();
    return answers.make(in.node(), name, Answers.directory(mode, umask, in.caller()));
  }

  /** u64 newdir; u32 flags, padding; both names. */
  private Reply rename2(RequestFrame in) {
    long directory = in.u64();
    int flags = in.u32();
    return rename(in.skip(4), directory, flags);
  }

  private Reply rename(RequestFrame in, long directory, int flags) {
    RenameMode mode =
        switch (flags) {
          case 0 -> RenameMode.REPLACE;
          case NO_REPLACE -> RenameMode.NO_REPLACE;
          case EXCHANGE -> RenameMode.EXCHANGE;
          default ->
              throw new TrefoilException(
                  Reason.INVALID, "renameat2 flags " + flags + " are not supported");
        };
    byte[] from = in.name();
    return answers.rename(in.node(), from, directory, in.name(), mode);
  }

  /** u32 flags, mode, umask, open_flags; name. */
  private Reply create(RequestFrame in) {
    int flags = in.u32();
    int mode = in.u32();
    int umask = in.u32();
    byte[] name = in.skip(4).name();
    return answers.create(in.node(), name, Answers.file(mode, umask, in.caller()), flags);
  }

  /** u64 fh, offset; u32 size. */
  private Reply read(RequestFrame in) {
    long handle = in.u64();
    long offset = in.u64();
    return answers.read(handle, offset, in.u32());
  }

  /** u64 fh, offset; u32 size, write_flags; u64 lock_owner; u32 flags, padding; the bytes. */
  private Reply write(RequestFrame in) {
    long handle = in.u64();
    long offset = in.u64();
    int size = in.u32();
    boolean fromPages = (in.u32() & WRITE_CACHE) != 0;
    int flags = in.skip(8).u32();
    return answers.write(
        handle, new WriteRequest(offset, in.skip(4).data(size), flags, in.caller(), fromPages));
  }

  /** u64 fh, offset, length; u32 mode. */
  private Reply fallocate(RequestFrame in) {
    long handle = in.u64();
    long offset = in.u64();
    long length = in.u64();
    return answers.fallocate(handle, in.u32(), offset, length);
  }

  /** u64 fh, offset; u32 whence, padding. */
  private Reply lseek(RequestFrame in) {
    long handle = in.u64();
    long offset = in.u64();
    return answers.lseek(handle, offset, in.u32());
  }

  /**
   * u64 fh_in, off_in, nodeid_out, fh_out, off_out, len, flags. Without the 64 the kernel asks for
   * less than 4 GiB; either way it is never more than that in one call here.
   */
  private long copyFileRange(RequestFrame in) {
    Vfs.Place from = new Vfs.Place(in.u64(), in.u64());
    in.skip(8);
    Vfs.Place to = new Vfs.Place(in.u64(), in.u64());
    long length = in.u64();
    if (in.u64() != 0) {
      throw new TrefoilException(Reason.INVALID, "copy_file_range has no flags");
    }
    return answers.copyFileRange(from, to, length, in.caller());
  }

  /** u32 size, flags; name, value. */
  private Reply setxattr(RequestFrame in) {
    int size = in.u32();
    int flags = in.u32();
    byte[] name = in.name();
    return answers.setxattr(in.node(), name, in.bytes(size), flags);
  }

  /** u32 size, padding; name. */
  private Reply getxattr(RequestFrame in) {
    long room = Integer.toUnsignedLong(in.u32());
    return answers.getxattr(in.node(), in.skip(4).name(), room);
  }
}
