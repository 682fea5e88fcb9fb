package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * Makes a session's operations happen at most once: each keeps its reply until the session says
 * that it will not ask again; what comes after that, or after the session's end, is refused.
 */
final class Sessions {
  private static final byte[] EMPTY = {};

  /** Up to here forgotten replies are deleted by number; more are looked for. */
  private static final int DELETED_BLINDLY = 64;

  /** More than a client can number between two openings, so that their operations never mix. */
  private static final long NUMBERS_OF_AN_OPENING = 1L << 40;

  private Sessions() {}

  /** The first reply of the operation, or what {@code apply} gives if it is new. */
  static byte[] once(KeyValue state, Command.Operate command, Supplier<byte[]> apply) {
    OperationId id = command.id();
    long oldest = command.oldestPending();
    if (id.session() == 0 || oldest < 1 || id.sequence() < oldest) {
      throw Codec.malformed("operation " + id + " with oldest pending " + oldest);
    }
    byte[] window = Keys.window(id.session(), command.volume());
    long floor = TreeEdit.counter(state.get(window), 0);
    if (id.sequence() < floor || isOver(state, id.session())) {
      return new Reply.Failed(Reason.STALE).toBytes();
    }
    byte[] key = Keys.reply(id.session(), command.volume(), id.sequence());
    byte[] first = state.get(key);
    if (first != null) {
      return KeptReply.ofRow(first).reply();
    }
    if (id.sequence() - Math.max(floor, oldest) >= Limits.OPERATION_WINDOW) {
      return new Reply.Failed(Reason.BUSY).toBytes();
    }
    if (oldest > floor) {
      forget(state, command, floor);
      state.put(window, ByteBuffer.allocate(8).putLong(oldest).array());
    }
    byte[] reply = apply.get();
    state.put(key, new KeptReply(command.operation().requestNumber(), reply).toRow());
    return reply;
  }

  /**
   * The first number for a session that opens the volume: 1, or one beyond all that an earlier
   * opening can have used; those are refused from now on. Null when the session is over.
   */
  static @Nullable Long open(KeyValue state, long session, int volume) {
    if (isOver(state, session)) {
      return null;
    }
    byte[] window = Keys.window(session, volume);
    byte[] known = state.get(window);
    long first = 1;
    if (known != null) {
      List<byte[]> replies = keys(state, Keys.replies(session, volume));
      replies.forEach(state::delete);
      long used = replies.isEmpty() ? 0 : Keys.sequenceIn(replies.getLast());
      first = Math.max(used, TreeEdit.counter(known, 0)) + NUMBERS_OF_AN_OPENING;
    }
    state.put(window, ByteBuffer.allocate(8).putLong(first).array());
    return first;
  }

  /**
   * A session takes what an earlier one holds; that goes to nobody else before the earlier one is
   * over, too: its writes may still be on their way.
   *
   * @throws Refusal STALE when the earlier one is over: others may have had it since
   */
  static void inherit(KeyValue state, long from, long to) {
    Refusal.when(from == to || descends(state, from, to), Reason.INVALID);
    Refusal.when(isOver(state, from), Reason.STALE);
    // One that opened nothing holds nothing, and is never ended.
    if (!volumes(state, from).isEmpty()) {
      state.put(Keys.predecessor(to, from), EMPTY);
    }
  }

  private static boolean descends(KeyValue state, long session, long ancestor) {
    return predecessors(state, session).stream()
        .anyMatch(earlier -> earlier == ancestor || descends(state, earlier, ancestor));
  }

  private static List<Long> predecessors(KeyValue state, long session) {
    return keys(state, Keys.predecessors(session)).stream().map(Keys::secondIn).toList();
  }

  /** Whether it has something of a session that is not over. */
  static boolean succeedsAnOpenOne(KeyValue state, long session) {
    return predecessors(state, session).stream().anyMatch(earlier -> !isOver(state, earlier));
  }

  /** Gives back what the session holds. */
  static void letGo(KeyValue state, long session) {
    Orphanage.dropPins(state, session);
    WriteLeases.drop(state, session);
    Locking.drop(state, session);
  }

  /** Nothing of the session is applied any more. */
  static void end(KeyValue state, long session) {
    keys(state, Keys.windows(session)).forEach(state::delete);
    keys(state, Keys.predecessors(session)).forEach(state::delete);
    state.put(Keys.fence(session), EMPTY);
  }

  /** The volumes that the session has opened. */
  static List<Integer> volumes(KeyValueReader state, long session) {
    List<Integer> volumes = new ArrayList<>();
    byte[] prefix = Keys.windows(session);
    state.scan(prefix, prefix, (key, value) -> volumes.add(Keys.volumeInWindow(key)));
    return volumes;
  }

  /** All sessions that have opened a volume and were not ended. */
  static Reply.Numbers kept(KeyValueReader state) {
    List<Long> sessions = new ArrayList<>();
    byte[] prefix = Keys.windows();
    state.scan(
        prefix,
        prefix,
        (key, value) -> {
          long session = Keys.sessionIn(key);
          if (sessions.isEmpty() || sessions.getLast() != session) {
            sessions.add(session);
          }
          return sessions.size() < Limits.BATCH;
        });
    return new Reply.Numbers(sessions);
  }

  static boolean isOver(KeyValueReader state, long session) {
    return state.get(Keys.fence(session)) != null;
  }

  private static void forget(KeyValue state, Command.Operate command, long floor) {
    long session = command.id().session();
    int volume = command.volume();
    if (floor > 0 && command.oldestPending() - floor <= DELETED_BLINDLY) {
      for (long sequence = floor; sequence < command.oldestPending(); sequence++) {
        state.delete(Keys.reply(session, volume, sequence));
      }
      return;
    }
    for (byte[] key : keys(state, Keys.replies(session, volume))) {
      if (Keys.sequenceIn(key) < command.oldestPending()) {
        state.delete(key);
      }
    }
  }

  static List<byte[]> keys(KeyValue state, byte[] prefix) {
    List<byte[]> keys = new ArrayList<>();
    state.scan(prefix, prefix, (key, value) -> keys.add(key));
    return keys;
  }
}
