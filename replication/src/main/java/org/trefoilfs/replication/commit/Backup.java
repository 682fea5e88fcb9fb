package org.trefoilfs.replication.commit;

import java.util.Objects;
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

  /** The primary's NEW_VIEW of this view has been taken: its PREPAREs may follow. */
  private boolean synced;

  /**
   * Up to here the log is the primary's. What lies above was prepared in earlier views: it may have
   * been committed there, so it is kept until the primary replaces or voids it.
   */
  private long matched;

  /** Of the newest NEW_VIEW taken. */
  private long attempt;

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

  long attempt() {
    return attempt;
  }

  /** See {@link Message.NewView}. May be taken more than once. */
  Message newView(Message.NewView message) {
    if (message.attempt() < attempt) {
      throw refuse("a later NEW_VIEW was taken");
    }
    attempt = message.attempt();
    if (standing == Standing.JOINING) {
      joinAt(message);
    } else if (!synced) {
      takeOver(message);
    }
    synced = true;
    return preparedReply();
  }

  /**
   * An in-sync member holds all that was ever committed; only what goes beyond the primary's log is
   * void.
   */
  private void takeOver(Message.NewView message) {
    if (message.commitIndex() > log.lastN()) {
      throw new IllegalStateException(
          "group %d: an in-sync member holds %d of %d committed writes"
              .formatted(log.pg(), log.lastN(), message.commitIndex()));
    }
    log.commitTo(message.commitIndex()).forEach(ports::committed);
    matched = log.commitIndex();
    boolean goesBeyond = log.lastN() > message.lastN() && message.lastN() >= log.commitIndex();
    // Then what the primary prepares again is not journaled here again, but it is of this view now:
    // after a loss of power, a client must not take for lost what was committed to it as such.
    boolean isAllCommitted =
        message.lastN() == log.commitIndex() && message.commitIndex() < message.lastN();
    if (goesBeyond || isAllCommitted) {
      ports.append(new JournalRecord.Truncated(log.pg(), view.view(), message.lastN()));
      log.truncateAbove(message.lastN(), view.view());
    }
  }

  /**
   * Appends and acknowledges. Acknowledgements are cumulative: what is matched has no gap, so the
   * last number says it all.
   */
  Message prepare(Message.Prepare message) {
    if (!synced || message.n() > matched + 1) {
      throw refuse(
          "write " + message.n() + " does not follow " + matched + "; begin with NEW_VIEW");
    }
    if (message.n() == matched + 1) {
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
      matched = message.n();
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
   * The log starts anew where the primary stands; also when writes were missed, for nobody waited
   * for this joiner, and the primary may no longer have them to send.
   */
  private void joinAt(Message.NewView message) {
    if (!synced || message.commitIndex() > matched) {
      // What was committed and applied before must be redone by a replay: catch-up keeps chunks
      // that are equal.
      ports.append(new JournalRecord.Committed(log.pg(), log.last().view(), log.commitIndex()));
      log.copyState().join(log.committed());
      ports.append(log.copyState().record(log.pg()));
      ports.append(new JournalRecord.Reset(log.pg(), view.view(), message.commitIndex()));
      log.reset(view.view(), message.commitIndex());
      matched = message.commitIndex();
      ports.catchUp(log.pg(), view.view(), Objects.requireNonNull(view.primary()));
    }
  }

  /** Only what is the primary's: an entry of an earlier view may differ from what it committed. */
  private void commit(long n) {
    log.commitTo(Math.min(n, matched)).forEach(ports::committed);
  }

  private Message preparedReply() {
    return new Message.Prepared(log.pg(), view.view(), matched);
  }

  private static TrefoilException refuse(String why) {
    return new TrefoilException(Reason.UNAVAILABLE, why);
  }
}
