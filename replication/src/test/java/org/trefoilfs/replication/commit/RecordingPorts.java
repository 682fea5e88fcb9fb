package org.trefoilfs.replication.commit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** Remembers what a group did; other hosts do not exist, and time stands where the test puts it. */
final class RecordingPorts implements GroupPorts {
  final List<Entry> committed = new ArrayList<>();
  final List<JournalRecord> journal = new ArrayList<>();
  final List<Message> sent = new ArrayList<>();
  final List<PgView> proposed = new ArrayList<>();
  long now;
  boolean full;

  GroupLog replayed(int pg) {
    GroupLog log = new GroupLog(pg);
    for (int i = 0; i < journal.size(); i++) {
      log.replay(journal.get(i), i + 1);
    }
    return log;
  }

  @Override
  public long now() {
    return now;
  }

  @Override
  public boolean leased() {
    return true;
  }

  @Override
  public Room roomFor(Collection<PgView.Member> members, Mutation mutation) {
    return Room.ENOUGH;
  }

  @Override
  public long append(JournalRecord record) {
    if (full) {
      throw new TrefoilException(Reason.NO_SPACE, "full");
    }
    journal.add(record);
    return journal.size();
  }

  @Override
  public void send(HostId to, Message message) {
    sent.add(message);
  }

  @Override
  public void committed(Entry entry) {
    committed.add(entry);
  }

  @Override
  public void announce(int pg, Version commitIndex) {}

  @Override
  public void propose(PgView next) {
    proposed.add(next);
  }

  @Override
  public void catchUp(int pg, long view, HostId primary) {}

  @Override
  public void reply(Runnable answer) {
    answer.run();
  }

  @Override
  public Version committedBefore(OperationId operation) {
    return Version.NONE;
  }
}
