package org.trefoilfs.replication.host;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** Commit indexes that no PREPARE carries to the backups soon. */
final class Announcements {
  private final Slots slots;
  private final GroupNode node;
  private final ConcurrentHashMap<Integer, Version> latest = new ConcurrentHashMap<>();

  Announcements(Slots slots, GroupNode node) {
    this.slots = slots;
    this.node = node;
  }

  /** The group's commit index is to be sent, unless {@link #carried} says that it has been. */
  void add(int pg, Version commitIndex) {
    latest.put(pg, commitIndex);
  }

  void carried(int pg, Version commitIndex) {
    latest.remove(pg, commitIndex);
  }

  /** Sends what is noted to the other members, those of all groups to a host in one message. */
  void send() {
    Map<HostId, Map<Integer, Message.Commit>> byHost = new HashMap<>();
    for (Map.Entry<Integer, Version> each : Set.copyOf(latest.entrySet())) {
      latest.remove(each.getKey(), each.getValue());
      PgView view = slots.of(each.getKey()).group.currentView();
      if (view == null || view.view() != each.getValue().view()) {
        continue;
      }
      Set<HostId> receivers = new HashSet<>(view.joining());
      view.inSync().forEach(member -> receivers.add(member.host()));
      receivers.remove(node.self());
      Message.Commit commit = new Message.Commit(each.getValue().view(), each.getValue().n());
      receivers.forEach(
          host -> byHost.computeIfAbsent(host, _ -> new HashMap<>()).put(each.getKey(), commit));
    }
    byHost.forEach(this::sendTo);
  }

  /**
   * What was not heard is said again: a member that does not know a write to be committed sends
   * readers away.
   */
  private void sendTo(HostId host, Map<Integer, Message.Commit> commits) {
    node.peers()
        .call(host, new Message.Committed(commits), node.detection())
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                commits.forEach(
                    (pg, commit) -> latest.putIfAbsent(pg, new Version(commit.view(), commit.n())));
              }
            });
  }
}
