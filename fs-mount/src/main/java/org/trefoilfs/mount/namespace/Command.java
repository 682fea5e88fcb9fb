package org.trefoilfs.mount.namespace;

import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.OperationId;

/** A command of the namespace's state machine; answered with a {@link Reply}. */
public sealed interface Command {
  /**
   * An operation of a mount; a retry gets the reply that the first one got.
   *
   * @param oldestPending the session's oldest operation on this volume that may still be retried:
   *     replies to those before it are forgotten, and those before it are refused from now on
   * @param now wall clock of the mount, nanoseconds since the epoch
   */
  record Operate(int volume, OperationId id, long oldestPending, long now, Operation operation)
      implements Command {}

  /**
   * Makes the volume's root directory unless it is there, and opens the volume to a session (0:
   * none does): numbers that an earlier opening by this session may have used are refused. Answered
   * with {@link Reply.Root}.
   */
  record EnsureRoot(int volume, long session, long now) implements Command {}

  /** Forgets orphans, by their sequence numbers, that nobody pins and whose chunks are gone. */
  record Reclaim(List<Long> orphans) implements Command {}

  /**
   * The session is over: its pins, leases and locks go, and nothing of it is applied any more.
   * Refused with BUSY, to be asked for again, while one whose leases or locks it took is not over.
   */
  record DropPins(long session) implements Command {}

  /**
   * Removes up to {@code limit} rows of a deleted volume; its regular files become orphans. The
   * volume takes no operations from then on. Answered with {@link Reply.Reaped}.
   */
  record ReapVolume(int volume, int limit) implements Command {}

  default byte[] toBytes() {
    ByteWriter out = new ByteWriter();
    switch (this) {
      case Operate(int volume, OperationId id, long oldest, long now, Operation operation) -> {
        id.writeTo(out.u8(1).i32(volume));
        operation.writeTo(out.i64(oldest).i64(now));
      }
      case EnsureRoot(int volume, long session, long now) ->
          out.u8(2).i32(volume).i64(session).i64(now);
      case Reclaim(List<Long> orphans) -> Codec.writeNumbers(out.u8(3), orphans);
      case DropPins(long session) -> out.u8(4).i64(session);
      case ReapVolume(int volume, int limit) -> out.u8(5).i32(volume).i32(limit);
    }
    return out.toBytes();
  }

  static Command of(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int kind = in.u8();
    Command command =
        switch (kind) {
          case 1 ->
              new Operate(
                  in.i32(), OperationId.readFrom(in), in.i64(), in.i64(), Operation.readFrom(in));
          case 2 -> new EnsureRoot(in.i32(), in.i64(), in.i64());
          case 3 -> new Reclaim(Codec.numbers(in));
          case 4 -> new DropPins(in.i64());
          case 5 -> new ReapVolume(in.i32(), in.i32());
          default -> throw Codec.malformed("unknown command " + kind);
        };
    Codec.end(in);
    return command;
  }
}
