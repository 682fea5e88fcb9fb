package org.trefoilfs.replication.statelog;

import java.nio.charset.StandardCharsets;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.OperationId;

/** A small module for tests: notes under keys, and a counter whose increments are idempotent. */
public final class NotesModule implements StateModule {
  public static final byte ID = 7;
  private static final byte[] COUNTER = bytes("counter");

  public volatile int applied;
  public volatile int restored;

  public static byte[] put(String key, String value) {
    return new ByteWriter().u8(1).blob(bytes(key)).blob(bytes(value)).toBytes();
  }

  public static byte[] add(OperationId operation, long delta) {
    ByteWriter out = new ByteWriter().u8(2);
    operation.writeTo(out);
    return out.i64(delta).toBytes();
  }

  /** Puts the note, then fails. */
  public static byte[] putAndFail(String key) {
    return new ByteWriter().u8(3).blob(bytes(key)).toBytes();
  }

  /** A defect in the module. */
  public static byte[] crash() {
    return new ByteWriter().u8(4).toBytes();
  }

  public static byte[] get(String key) {
    return new ByteWriter().u8(1).blob(bytes(key)).toBytes();
  }

  public static byte[] count() {
    return new ByteWriter().u8(2).toBytes();
  }

  public static long number(byte[] reply) {
    return new ByteReader(reply).i64();
  }

  public static String text(byte[] reply) {
    return new String(reply, StandardCharsets.UTF_8);
  }

  @Override
  public byte id() {
    return ID;
  }

  @Override
  public byte[] apply(KeyValue state, byte[] command) {
    ByteReader in = new ByteReader(command);
    return switch (in.u8()) {
      case 1 -> {
        state.put(in.blob(), in.blob());
        yield new byte[0];
      }
      case 2 -> increment(state, OperationId.readFrom(in), in.i64());
      case 3 -> {
        state.put(in.blob(), bytes("never"));
        throw new TrefoilException(Reason.EXISTS, "there is such a note; choose another name");
      }
      case 4 -> throw new IllegalStateException("a defect");
      default -> throw new TrefoilException(Reason.INVALID, "unknown verb");
    };
  }

  private static byte[] increment(KeyValue state, OperationId operation, long delta) {
    ByteWriter key = new ByteWriter().raw(bytes("operation/"));
    operation.writeTo(key);
    byte[] earlier = state.get(key.toBytes());
    if (earlier != null) {
      return earlier;
    }
    byte[] old = state.get(COUNTER);
    byte[] now = new ByteWriter().i64((old == null ? 0 : number(old)) + delta).toBytes();
    state.put(COUNTER, now);
    state.put(key.toBytes(), now);
    return now;
  }

  @Override
  public byte[] query(KeyValueReader state, byte[] query) {
    ByteReader in = new ByteReader(query);
    byte[] value = in.u8() == 1 ? state.get(in.blob()) : state.get(COUNTER);
    if (value == null) {
      throw new TrefoilException(Reason.NOT_FOUND, "no such note");
    }
    return value;
  }

  @Override
  public void applied(KeyValueReader state) {
    applied++;
  }

  @Override
  public void restored(KeyValueReader state) {
    restored++;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
