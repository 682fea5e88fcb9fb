package org.trefoilfs.replication.commit;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** The part of an in-sync member that is not primary, or of a joiner, in one view. */
final class Backup {
  /** What the view makes of this host. */
  enum Standing {
    IN_SYNC,
    JOINING
  }

  private final PgView view;
  private final GroupLog log;
  private final GroupPorts ports;
  private final Standing standing;

  /**
   * The primary's NEW_VIEW of this view has been taken: the log is a copy of the primary's from
   * here on.
   */
  private boolean synced;

  /**
   * Last number that is a copy of the primary's log in this view. What lies above comes from
   * earlier views: it may have been acknowledged there, so it stays until the primary's own
   * replaces it.
   */
  private long held;

  Backup(PgView view, GroupLog log, GroupPorts ports, Standing standing) {
    this.view = view;
    this.log = log;
    this.ports = ports;
    this.standing = standing;
  }

  boolean isJoiner() {
    return standing == Standing.JOINING;
  }

  boolean isSynced() {
    return synced && standing == Standing.IN_SYNC;
  }

  /**
   * Drops what the new primary does not have, which therefore was never committed; see {@link
   * Message.NewView}. May be sent more than once.
   */
  Message newView(Message.NewView message) {
    if (standing == Standing.JOINING) {
      joinAt(message);
      held = log.lastN();
    } else if (!synced) {
      commit(message.commitIndex());
      long last = Math.max(log.commitIndex(), message.lastN());
      if (log.lastN() > last) {
        ports.append(new JournalRecord.Truncated(log.pg(), view.view(), last));
        log.truncateAbove(last, view.view());
      }
      held = log.commitIndex();
    }
    synced = true;
    return preparedReply();
  }

  /**
   * Appends and acknowledges. Acknowledgements are cumulative: the copy has no gap, so its last
   * number says it all.
   */
  Message prepare(Message.Prepare message) {
    if (!synced || message.n() > held + 1) {
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "group "
              + log.pg()
              + ": write "
              + message.n()
              + " does not follow "
              + held
              + "; begin with NEW_VIEW");
    }
    if (message.n() == held + 1) {
      Version version = new Version(message.view(), message.n());
      long position =
          ports.append(
              new JournalRecord.Prepared(
                  log.pg(),
                  message.view(),
                  message.n(),
                  log.commitIndex(),
                  message.operation(),
                  message.mutation()));
      log.put(new Entry(log.pg(), version, message.operation(), message.mutation(), position));
      held = message.n();
    }
    commit(message.commitIndex());
    return preparedReply();
  }

  void committed(long n) {
    if (synced) {
      commit(n);
    }
  }

  /**
   * Also when writes were missed: nobody waited for this joiner, so the primary may no longer have
   * them to send.
   */
  private void joinAt(Message.NewView message) {
    if (!synced || message.commitIndex() > log.lastN()) {
      // What was committed and applied before must be redone by a replay: catch-up keeps chunks
      // that are equal.
      ports.append(new JournalRecord.Committed(log.pg(), log.last().view(), log.commitIndex()));
      ports.append(new JournalRecord.Reset(log.pg(), view.view(), message.commitIndex()));
      log.reset(view.view(), message.commitIndex());
      ports.catchUp(log.pg(), view.view(), java.util.Objects.requireNonNull(view.primary()));
    }
  }

  private void commit(long n) {
    log.commitTo(n).forEach(ports::committed);
    held = Math.max(held, log.commitIndex());
  }

  private Message preparedReply() {
    return new Message.Prepared(log.pg(), view.view(), held);
  }
}
