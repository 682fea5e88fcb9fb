package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.volume.SharedFlushes;

/** Makes what is committed stable: at this host, and as primary at the other members. */
final class Flushes {
  private final Slots slots;
  private final GroupNode node;
  private final Map<HostId, SharedFlushes> atBackups = new ConcurrentHashMap<>();

  /** Under way here as primary, and the views in which they were asked for. */
  private final Map<CompletableFuture<Message>, Map<Integer, Long>> underWay =
      new ConcurrentHashMap<>();

  Flushes(Slots slots, GroupNode node) {
    this.slots = slots;
    this.node = node;
  }

  /** Makes this primary's committed writes stable at every in-sync member. */
  CompletableFuture<Message> flush(Message.Flush flush) {
    CompletableFuture<Message> done = new CompletableFuture<>();
    underWay.put(done, flush.viewOfGroup());
    done.whenComplete((_, _) -> underWay.remove(done));
    try {
      flushMembers(flush)
          .whenComplete(
              (_, failure) -> {
                endWhenStale(done, flush.viewOfGroup());
                if (failure == null) {
                  done.complete(new Message.Done());
                } else {
                  done.completeExceptionally(failure);
                }
              });
    } catch (TrefoilException e) {
      done.completeExceptionally(e);
    }
    return done;
  }

  /** Views have changed: who is flushed in an older one asks again. */
  void endStale() {
    underWay.forEach(this::endWhenStale);
  }

  /**
   * A member that does not answer is not waited for any longer once a view without it is there: the
   * flush is asked for again in that view.
   */
  private void endWhenStale(CompletableFuture<Message> flush, Map<Integer, Long> viewOfGroup) {
    try {
      viewOfGroup.forEach(slots::serving);
    } catch (TrefoilException e) {
      flush.completeExceptionally(e);
    }
  }

  private CompletableFuture<?> flushMembers(Message.Flush flush) {
    Map<HostId, Map<Integer, Long>> backups = new HashMap<>();
    for (Map.Entry<Integer, Long> each : flush.viewOfGroup().entrySet()) {
      for (HostId host : flushedAt(each.getKey(), each.getValue())) {
        backups.computeIfAbsent(host, _ -> new HashMap<>()).put(each.getKey(), each.getValue());
      }
    }
    List<CompletableFuture<?>> all = new ArrayList<>();
    all.add(node.journal().sync(node.journal().end()));
    backups.forEach((host, groups) -> all.add(at(host).flush(groups)));
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  private SharedFlushes at(HostId backup) {
    return atBackups.computeIfAbsent(
        backup,
        host ->
            new SharedFlushes(
                groups ->
                    node.peers().call(host, new Message.FlushBackup(groups), flushTimeout())));
  }

  /** The other members that are in sync, or about to be. */
  private Set<HostId> flushedAt(int pg, long inView) {
    Slot slot = slots.of(pg);
    synchronized (slot) {
      Set<HostId> hosts = new HashSet<>(slot.group.promoting());
      slots.serving(pg, inView).inSync().forEach(member -> hosts.add(member.host()));
      hosts.remove(node.self());
      return hosts;
    }
  }

  private Duration flushTimeout() {
    return node.detection().multipliedBy(2);
  }

  /** This host's part, asked for by a primary. */
  CompletableFuture<Message> flushBackup(Message.FlushBackup flush) {
    for (Map.Entry<Integer, Long> each : flush.viewOfGroup().entrySet()) {
      Slot slot = slots.of(each.getKey());
      synchronized (slot) {
        PgView view = slot.group.currentView();
        if (view == null || view.view() != each.getValue() || !slot.group.hasRole()) {
          throw new TrefoilException(
              Reason.STALE_VIEW,
              node.self() + " is not in view " + each.getValue() + " of group " + each.getKey());
        }
      }
    }
    return node.journal().sync(node.journal().end()).thenApply(_ -> new Message.Done());
  }
}
