package org.trefoilfs.mount.namespace;

import static org.trefoilfs.mount.namespace.Codec.malformed;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** How locks are written in commands, queries, replies and rows. */
final class LockCodec {
  private LockCodec() {}

  static void write(ByteWriter out, HeldLock lock) {
    LockOwner owner = lock.owner();
    out.i64(owner.session()).i64(owner.id()).u8(code(owner.kind())).u8(code(lock.type()));
    write(out, lock.range());
    out.i32(lock.pid());
  }

  static HeldLock heldLock(ByteReader in) {
    long session = in.i64();
    long owner = in.i64();
    LockKind kind = lockKind(in);
    return new HeldLock(new LockOwner(session, kind, owner), lockType(in), lockRange(in), in.i32());
  }

  static void write(ByteWriter out, LockRequest request) {
    out.u8(code(request.kind())).i64(request.owner()).u8(code(request.type()));
    write(out, request.range());
    out.i32(request.pid());
  }

  static LockRequest lockRequest(ByteReader in) {
    return new LockRequest(lockKind(in), in.i64(), lockType(in), lockRange(in), in.i32());
  }

  static void write(ByteWriter out, LockRange range) {
    out.i64(range.start()).i64(range.end());
  }

  static LockRange lockRange(ByteReader in) {
    return new LockRange(in.i64(), in.i64());
  }

  static int code(LockKind kind) {
    return switch (kind) {
      case FLOCK -> 0;
      case POSIX -> 1;
    };
  }

  static LockKind lockKind(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> LockKind.FLOCK;
      case 1 -> LockKind.POSIX;
      default -> throw malformed("unknown kind of lock " + code);
    };
  }

  static int code(LockStatus status) {
    return switch (status) {
      case HELD -> 0;
      case WAITING -> 1;
      case NONE -> 2;
    };
  }

  static LockStatus lockStatus(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> LockStatus.HELD;
      case 1 -> LockStatus.WAITING;
      case 2 -> LockStatus.NONE;
      default -> throw malformed("unknown state of a lock " + code);
    };
  }

  private static int code(LockType type) {
    return switch (type) {
      case READ -> 0;
      case WRITE -> 1;
    };
  }

  private static LockType lockType(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> LockType.READ;
      case 1 -> LockType.WRITE;
      default -> throw malformed("unknown type of lock " + code);
    };
  }
}
