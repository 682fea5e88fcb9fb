package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.statelog.KeyValue;

/**
 * How a mount's requests go on under its next daemon's session: replies of an earlier one that were
 * given to requests of the kernel's are kept beyond its end, until that session has them.
 */
final class TakingOver {
  private TakingOver() {}

  /**
   * Ends the earlier session and files its replies to requests under the numbers that follow the
   * command's own: so they are there for the daemon after the next one, too.
   */
  static Reply takeOver(KeyValue state, Command.Operate command, long from) {
    long to = command.id().session();
    Refusal.when(from == 0 || from == to, Reason.INVALID);
    Sessions.letGo(state, from);
    List<Reply.TakenOver.Answer> answers = new ArrayList<>();
    byte[] replies = Keys.replies(from, command.volume());
    state.scan(
        replies,
        replies,
        (key, row) -> {
          KeptReply kept = KeptReply.ofRow(row);
          if (kept.request() != 0) {
            answers.add(new Reply.TakenOver.Answer(kept.request(), kept.reply()));
          }
          return true;
        });
    long number = command.id().sequence();
    for (Reply.TakenOver.Answer answer : answers) {
      byte[] row = new KeptReply(answer.request(), answer.reply()).toRow();
      state.put(Keys.reply(to, command.volume(), ++number), row);
    }
    forget(state, from);
    Sessions.end(state, from);
    return new Reply.TakenOver(answers);
  }

  /** The session ends, and its mount may go on under another. */
  static void keepReplies(KeyValue state, long session) {
    boolean kept = false;
    for (byte[] key : Sessions.keys(state, Keys.repliesOfSession(session))) {
      byte[] row = state.get(key);
      if (row == null || KeptReply.ofRow(row).request() == 0) {
        state.delete(key);
      } else {
        kept = true;
      }
    }
    List<Long> ended = ended(state);
    if (kept && !ended.contains(session)) {
      ended.add(session);
      if (ended.size() > Limits.ENDED_SESSIONS) {
        deleteReplies(state, ended.removeFirst());
      }
      write(state, ended);
    }
  }

  private static void forget(KeyValue state, long session) {
    deleteReplies(state, session);
    List<Long> ended = ended(state);
    if (ended.remove(session)) {
      write(state, ended);
    }
  }

  private static void deleteReplies(KeyValue state, long session) {
    Sessions.keys(state, Keys.repliesOfSession(session)).forEach(state::delete);
  }

  private static List<Long> ended(KeyValue state) {
    List<Long> sessions = new ArrayList<>();
    byte[] row = state.get(Keys.endedSessions());
    ByteBuffer in = ByteBuffer.wrap(row == null ? new byte[0] : row);
    while (in.hasRemaining()) {
      sessions.add(in.getLong());
    }
    return sessions;
  }

  private static void write(KeyValue state, List<Long> sessions) {
    ByteBuffer out = ByteBuffer.allocate(sessions.size() * Long.BYTES);
    sessions.forEach(out::putLong);
    state.put(Keys.endedSessions(), out.array());
  }
}
