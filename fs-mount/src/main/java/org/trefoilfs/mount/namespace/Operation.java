package org.trefoilfs.mount.namespace;

import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** What a mount asks to be changed, once. */
public sealed interface Operation {
  /** Begins a {@link Requested}. */
  int REQUESTED = 21;

  record Create(Location at, NewInode inode) implements Operation {}

  /** As {@link Create}, of a file that the session is going to write: see {@link Writing}. */
  record CreateToWrite(Location at, NewInode inode) implements Operation {}

  record Link(Location from, Location to) implements Operation {}

  record Unlink(Location at) implements Operation {}

  record Rmdir(Location at) implements Operation {}

  record Rename(Location from, Location to, Names.RenameMode mode) implements Operation {}

  record SetAttributes(Location at, AttributeChange change) implements Operation {}

  /** See {@link Names#wrote}. */
  record Wrote(long inode, long from, long end, long mtime, Names.Privileges privileges)
      implements Operation {}

  record SetXattr(Location at, byte[] name, byte[] value, Names.XattrMode mode)
      implements Operation {}

  record RemoveXattr(Location at, byte[] name) implements Operation {}

  record Pin(List<Long> inodes) implements Operation {}

  record Unpin(List<Long> inodes) implements Operation {}

  /** The session wants to be the only one that writes: see {@link WriteLeases}. */
  record Lease(long inode) implements Operation {}

  /** The session wants to be the only one that appends. Answered with {@link Reply.Numbers}. */
  record LeaseAppends(long inode) implements Operation {}

  record UnleaseAppends(List<Long> inodes) implements Operation {}

  /** The session is going to write it through: see {@link Writing}. */
  record BeginWriting(long inode) implements Operation {}

  record EndWriting(List<Long> inodes) implements Operation {}

  /** The session wants others' leases to end. */
  record Recall(long inode) implements Operation {}

  record Unlease(List<Long> inodes) implements Operation {}

  /**
   * The session goes on with what an earlier one of the same mount had leased. It is given to
   * others when both are over.
   */
  record Inherit(long from) implements Operation {}

  /**
   * The session goes on as the same mount under its next daemon: the earlier session is over, and
   * its replies to requests of the kernel's are this one's. To be asked for when every host keeps
   * the earlier one's late writes out, since its leases are free then. Answered with {@link
   * Reply.TakenOver}.
   */
  record TakeOver(long from) implements Operation {}

  /**
   * The session has the locks now that an earlier one of the same mount has. Before that one is
   * ended: they are in nobody else's hands meanwhile. Answered with {@link Reply.LocksAre}.
   */
  record InheritLocks(long from) implements Operation {}

  /** An operation for a {@link Request} of the kernel's. */
  record Requested(long request, Operation operation) implements Operation {}

  /** The request that it is for; 0: for none. */
  default long requestNumber() {
    return this instanceof Requested(long request, Operation _) ? request : 0;
  }

  /**
   * A lock for the session; see {@link Locking}.
   *
   * @param ticket by which the session knows the request while it waits; 0 when it would not
   */
  record Lock(long inode, LockRequest request, long ticket) implements Operation {}

  record Unlock(long inode, LockKind kind, long owner, LockRange range) implements Operation {}

  /** The session waits no longer. */
  record WithdrawLock(long inode, long ticket) implements Operation {}

  /**
   * The session has waited for a while.
   *
   * @param times only those are let past that have been overtaken less often than this
   */
  record OvertakeLock(long inode, long ticket, int times) implements Operation {}

  default void writeTo(ByteWriter out) {
    switch (this) {
      case Create(Location at, NewInode inode) -> {
        Codec.write(out.u8(25), at);
        Codec.write(out, inode);
      }
      case CreateToWrite(Location at, NewInode inode) -> {
        Codec.write(out.u8(26), at);
        Codec.write(out, inode);
      }
      case BeginWriting(long inode) -> out.u8(27).i64(inode);
      case EndWriting(List<Long> inodes) -> Codec.writeNumbers(out.u8(28), inodes);
      case Link(Location from, Location to) -> {
        Codec.write(out.u8(2), from);
        Codec.write(out, to);
      }
      case Unlink(Location at) -> Codec.write(out.u8(3), at);
      case Rmdir(Location at) -> Codec.write(out.u8(4), at);
      case Rename(Location from, Location to, Names.RenameMode mode) -> {
        Codec.write(out.u8(5), from);
        Codec.write(out, to);
        out.u8(Codec.code(mode));
      }
      case SetAttributes(Location at, AttributeChange change) -> {
        Codec.write(out.u8(6), at);
        Codec.write(out, change);
      }
      case Wrote(long inode, long from, long end, long mtime, Names.Privileges privileges) ->
          out.u8(30).i64(inode).i64(from).i64(end).i64(mtime).u8(Codec.code(privileges));
      case SetXattr(Location at, byte[] name, byte[] value, Names.XattrMode mode) -> {
        Codec.write(out.u8(8), at);
        out.blob(name).blob(value).u8(Codec.code(mode));
      }
      case RemoveXattr(Location at, byte[] name) -> {
        Codec.write(out.u8(9), at);
        out.blob(name);
      }
      case Pin(List<Long> inodes) -> Codec.writeNumbers(out.u8(10), inodes);
      case Unpin(List<Long> inodes) -> Codec.writeNumbers(out.u8(11), inodes);
      case Lease(long inode) -> out.u8(12).i64(inode);
      case Recall(long inode) -> out.u8(13).i64(inode);
      case Unlease(List<Long> inodes) -> Codec.writeNumbers(out.u8(14), inodes);
      case LeaseAppends(long inode) -> out.u8(23).i64(inode);
      case UnleaseAppends(List<Long> inodes) -> Codec.writeNumbers(out.u8(24), inodes);
      case Inherit(long from) -> out.u8(15).i64(from);
      case Lock(long inode, LockRequest request, long ticket) ->
          LockCodec.write(out.u8(16).i64(inode).i64(ticket), request);
      case Unlock(long inode, LockKind kind, long owner, LockRange range) ->
          LockCodec.write(out.u8(17).i64(inode).u8(LockCodec.code(kind)).i64(owner), range);
      case WithdrawLock(long inode, long ticket) -> out.u8(18).i64(inode).i64(ticket);
      case OvertakeLock(long inode, long ticket, int times) ->
          out.u8(19).i64(inode).i64(ticket).i32(times);
      case TakeOver(long from) -> out.u8(20).i64(from);
      case InheritLocks(long from) -> out.u8(22).i64(from);
      case Requested(long request, Operation operation) ->
          operation.writeTo(out.u8(REQUESTED).i64(request));
    }
  }

  static Operation readFrom(ByteReader in) {
    int kind = in.u8();
    return kind == REQUESTED ? new Requested(in.i64(), plain(in.u8(), in)) : plain(kind, in);
  }

  private static Operation plain(int kind, ByteReader in) {
    return switch (kind) {
      case 1 -> new Create(Codec.location(in), Codec.oldNewInode(in));
      case 2 -> new Link(Codec.location(in), Codec.location(in));
      case 3 -> new Unlink(Codec.location(in));
      case 4 -> new Rmdir(Codec.location(in));
      case 5 -> new Rename(Codec.location(in), Codec.location(in), Codec.renameMode(in));
      case 6 -> new SetAttributes(Codec.location(in), Codec.change(in));
      // As it was written before there was a start in it.
      case 7 -> new Wrote(in.i64(), Names.HOLES, in.i64(), in.i64(), Codec.privileges(in));
      case 8 -> new SetXattr(Codec.location(in), in.blob(), in.blob(), Codec.xattrMode(in));
      case 9 -> new RemoveXattr(Codec.location(in), in.blob());
      case 10 -> new Pin(Codec.numbers(in));
      case 11 -> new Unpin(Codec.numbers(in));
      case 12 -> new Lease(in.i64());
      case 13 -> new Recall(in.i64());
      case 14 -> new Unlease(Codec.numbers(in));
      case 15 -> new Inherit(in.i64());
      case 16 -> lock(in);
      case 17 -> new Unlock(in.i64(), LockCodec.lockKind(in), in.i64(), LockCodec.lockRange(in));
      case 18 -> new WithdrawLock(in.i64(), in.i64());
      case 19 -> new OvertakeLock(in.i64(), in.i64(), in.i32());
      case 20 -> new TakeOver(in.i64());
      case 22 -> new InheritLocks(in.i64());
      case 23 -> new LeaseAppends(in.i64());
      case 24 -> new UnleaseAppends(Codec.numbers(in));
      case 25 -> new Create(Codec.location(in), Codec.newInode(in));
      case 26 -> new CreateToWrite(Codec.location(in), Codec.newInode(in));
      case 27 -> new BeginWriting(in.i64());
      case 28 -> new EndWriting(Codec.numbers(in));
      case 30 -> new Wrote(in.i64(), in.i64(), in.i64(), in.i64(), Codec.privileges(in));
      default -> throw Codec.malformed("unknown operation " + kind);
    };
  }

  private static Lock lock(ByteReader in) {
    long inode = in.i64();
    long ticket = in.i64();
    return new Lock(inode, LockCodec.lockRequest(in), ticket);
  }
}
