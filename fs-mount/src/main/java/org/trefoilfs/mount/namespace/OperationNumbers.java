package org.trefoilfs.mount.namespace;

import java.util.TreeSet;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Numbers a session's operations, and knows the oldest that is still under way. */
final class OperationNumbers {
  /** An operation's number, and the oldest pending one (maybe itself) when it was given. */
  record Ticket(long sequence, long oldestPending) {}

  private final TreeSet<Long> pending = new TreeSet<>();
  private long next;

  OperationNumbers(long first) {
    next = first;
  }

  /** BUSY when the oldest pending operation is a whole window behind. */
  synchronized Ticket take() {
    if (!pending.isEmpty() && next - pending.first() >= Limits.OPERATION_WINDOW) {
      throw new TrefoilException(
          Reason.BUSY,
          "an operation on the namespace has been waiting while "
              + Limits.OPERATION_WINDOW
              + " others went by; try again when the cluster answers");
    }
    long sequence = next++;
    pending.add(sequence);
    return new Ticket(sequence, pending.first());
  }

  /** All below have been answered. */
  synchronized long oldestPending() {
    return pending.isEmpty() ? next : pending.first();
  }

  synchronized void done(Ticket ticket) {
    pending.remove(ticket.sequence());
  }
}
