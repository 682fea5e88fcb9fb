package org.trefoilfs.mount.namespace;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** A question to the namespace; answered with a {@link Reply}. */
public sealed interface Query {
  record Lookup(int volume, Location at) implements Query {}

  record ReadLink(int volume, Location at) implements Query {}

  record ListEntries(int volume, long directory, byte[] after, int limit) implements Query {}

  record GetXattr(int volume, Location at, byte[] name) implements Query {}

  record ListXattrs(int volume, Location at) implements Query {}

  record GetUsage(int volume) implements Query {}

  record OrphansAfter(int volume, long cursor) implements Query {}

  /**
   * Orphans of all volumes that nobody pins.
   *
   * @param after sequence number to look beyond; 0 at first
   * @param upTo highest sequence number that every live session has looked at
   */
  record Reclaimable(long after, long upTo, int max) implements Query {}

  /** Leases of the session that others want to end. */
  record Recalls(long session) implements Query {}

  /** Sessions of which the namespace keeps anything. */
  record SessionsKept() implements Query {}

  /** What keeps the session from this lock. */
  record TestLock(int volume, long session, long inode, LockRequest request) implements Query {}

  /**
   * Which of the session's requests for locks wait still: their tickets, at most {@link
   * Limits#BATCH}.
   *
   * @param after ticket to look beyond; 0 at first
   */
  record LockWaits(long session, long after) implements Query {}

  default byte[] toBytes() {
    ByteWriter out = new ByteWriter();
    switch (this) {
      case Lookup(int volume, Location at) -> Codec.write(out.u8(1).i32(volume), at);
      case ReadLink(int volume, Location at) -> Codec.write(out.u8(2).i32(volume), at);
      case ListEntries(int volume, long directory, byte[] after, int limit) ->
          out.u8(3).i32(volume).i64(directory).blob(after).i32(limit);
      case GetXattr(int volume, Location at, byte[] name) -> {
        Codec.write(out.u8(4).i32(volume), at);
        out.blob(name);
      }
      case ListXattrs(int volume, Location at) -> Codec.write(out.u8(5).i32(volume), at);
      case GetUsage(int volume) -> out.u8(6).i32(volume);
      case OrphansAfter(int volume, long cursor) -> out.u8(7).i32(volume).i64(cursor);
      case Reclaimable(long after, long upTo, int max) -> out.u8(8).i64(after).i64(upTo).i32(max);
      case Recalls(long session) -> out.u8(9).i64(session);
      case SessionsKept() -> out.u8(10);
      case TestLock(int volume, long session, long inode, LockRequest request) ->
          LockCodec.write(out.u8(11).i32(volume).i64(session).i64(inode), request);
      case LockWaits(long session, long after) -> out.u8(12).i64(session).i64(after);
    }
    return out.toBytes();
  }

  static Query of(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int kind = in.u8();
    Query query =
        switch (kind) {
          case 1 -> new Lookup(in.i32(), Codec.location(in));
          case 2 -> new ReadLink(in.i32(), Codec.location(in));
          case 3 -> new ListEntries(in.i32(), in.i64(), in.blob(), in.i32());
          case 4 -> new GetXattr(in.i32(), Codec.location(in), in.blob());
          case 5 -> new ListXattrs(in.i32(), Codec.location(in));
          case 6 -> new GetUsage(in.i32());
          case 7 -> new OrphansAfter(in.i32(), in.i64());
          case 8 -> new Reclaimable(in.i64(), in.i64(), in.i32());
          case 9 -> new Recalls(in.i64());
          case 10 -> new SessionsKept();
          case 11 -> new TestLock(in.i32(), in.i64(), in.i64(), LockCodec.lockRequest(in));
          case 12 -> new LockWaits(in.i64(), in.i64());
          default -> throw Codec.malformed("unknown query " + kind);
        };
    Codec.end(in);
    return query;
  }
}
