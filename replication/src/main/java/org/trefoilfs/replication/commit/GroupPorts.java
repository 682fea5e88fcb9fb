package org.trefoilfs.replication.commit;

import java.util.Collection;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * What the protocol asks of the world. Calls come from within a {@link Group}'s event, return at
 * once, and must not call back into a group.
 */
public interface GroupPorts {
  /** Monotonic nanoseconds. */
  long now();

  /**
   * Whether this host may serve: its lease is valid and it knows the views that the lease was
   * granted under.
   */
  boolean leased();

  /**
   * Whether all these hosts, this one included, can take {@code mutation} without using up their
   * reserve.
   */
  Room roomFor(Collection<PgView.Member> members, Mutation mutation);

  /** Answer of {@link #roomFor}. */
  enum Room {
    ENOUGH,
    /** What is known of the free space is too old to tell; soon more will be known. */
    UNCERTAIN,
    FULL
  }

  /** Appends to the journal; throws when it cannot. */
  long append(JournalRecord record);

  /**
   * Sends NEW_VIEW or PREPARE. The answer, or that there is none, comes back as {@link
   * Group#prepared} or {@link Group#unreachable}. Messages to one host arrive in order.
   */
  void send(HostId to, Message message);

  /** Hands over a committed entry, in order of its number, to be applied to the chunk store. */
  void committed(Entry entry);

  /** Other members are to learn the commit index soon, with the next message or without one. */
  void announce(int pg, Version commitIndex);

  /**
   * Asks the state log to change the view; the result arrives as {@link Group#view}, or does not
   * arrive.
   */
  void propose(PgView next);

  /** This joiner now receives all live writes of the view: copy what is older. */
  void catchUp(int pg, long view, HostId primary);

  /** Answers a client, after the event has been processed. */
  void reply(Runnable answer);

  /** The version under which this operation was committed before, or {@link Version#NONE}. */
  Version committedBefore(OperationId operation);
}
