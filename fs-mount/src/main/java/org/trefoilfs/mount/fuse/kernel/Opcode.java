package org.trefoilfs.mount.fuse.kernel;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.fuse.Operation;

/** The requests that are answered here, by their numbers in linux/fuse.h; others are ENOSYS. */
enum Opcode {
  LOOKUP(1, Operation.LOOKUP),
  GETATTR(3, Operation.GETATTR),
  SETATTR(4, Operation.SETATTR),
  READLINK(5, Operation.READLINK),
  SYMLINK(6, Operation.SYMLINK),
  MKNOD(8, Operation.MKNOD),
  MKDIR(9, Operation.MKDIR),
  UNLINK(10, Operation.UNLINK),
  RMDIR(11, Operation.RMDIR),
  RENAME(12, Operation.RENAME),
  LINK(13, Operation.LINK),
  OPEN(14, Operation.OPEN),
  READ(15, Operation.READ),
  WRITE(16, Operation.WRITE),
  STATFS(17, Operation.STATFS),
  RELEASE(18, Operation.RELEASE),
  FSYNC(20, Operation.FSYNC),
  SETXATTR(21, Operation.SETXATTR),
  GETXATTR(22, Operation.GETXATTR),
  LISTXATTR(23, Operation.LISTXATTR),
  REMOVEXATTR(24, Operation.REMOVEXATTR),
  FLUSH(25, Operation.FLUSH),
  OPENDIR(27, Operation.OPENDIR),
  READDIR(28, Operation.READDIR),
  RELEASEDIR(29, Operation.RELEASEDIR),
  FSYNCDIR(30, Operation.FSYNCDIR),
  GETLK(31, Operation.GETLK),
  SETLK(32, Operation.SETLK),
  SETLKW(33, Operation.SETLKW),
  CREATE(35, Operation.CREATE),
  FALLOCATE(43, Operation.FALLOCATE),
  RENAME2(45, Operation.RENAME),
  LSEEK(46, Operation.LSEEK),
  COPY_FILE_RANGE(47, Operation.COPY_FILE_RANGE),
  COPY_FILE_RANGE_64(53, Operation.COPY_FILE_RANGE);

  /** Begins a session; see {@link Handshake}. */
  static final int INIT = 26;

  /** Ends one. */
  static final int DESTROY = 38;

  /** Says that the caller of another request got a signal. */
  static final int INTERRUPT = 36;

  private static final int FORGET = 2;
  private static final int BATCH_FORGET = 42;

  private static final Map<Integer, Opcode> BY_NUMBER =
      Stream.of(values()).collect(Collectors.toMap(opcode -> opcode.number, Function.identity()));

  final int number;
  final Operation operation;

  Opcode(int number, Operation operation) {
    this.number = number;
    this.operation = operation;
  }

  static @Nullable Opcode of(int number) {
    return BY_NUMBER.get(number);
  }

  /** Whether the kernel wants no answer. Nodes are inode numbers: there is nothing to forget. */
  static boolean unanswered(int number) {
    return number == FORGET || number == BATCH_FORGET;
  }

  /** Whether it may have to wait for other callers, and is answered when it has. */
  static boolean isLater(int number) {
    return number == SETLK.number || number == SETLKW.number;
  }
}
