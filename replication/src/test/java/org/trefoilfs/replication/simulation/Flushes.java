package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** A host's part in flushes, as {@code host.Flushes} does it. */
final class Flushes {
  private final SimHost host;
  private final HostGroups groups;

  /** Under way here as primary, and the views in which they were asked for. */
  private final Map<CompletableFuture<Void>, Map<Integer, Long>> underWay = new LinkedHashMap<>();

  Flushes(SimHost host, HostGroups groups) {
    this.host = host;
    this.groups = groups;
  }

  /** Makes this primary's committed writes stable at every in-sync member. */
  void flush(Message.Flush flush, Consumer<Message> reply) {
    List<CompletableFuture<?>> parts = new ArrayList<>();
    flush
        .viewOfGroup()
        .forEach(
            (pg, inView) -> {
              PgView view = groups.servingView(pg, inView);
              Set<HostId> members = new TreeSet<>(groups.group(pg).promoting());
              view.inSync().forEach(member -> members.add(member.host()));
              members.remove(host.id);
              members.forEach(member -> parts.add(flushBackup(member, pg, inView)));
            });
    parts.add(host.disk.sync(host.disk.end()));
    CompletableFuture<Void> done = new CompletableFuture<>();
    underWay.put(done, flush.viewOfGroup());
    groups.after(done, reply, Message.Done::new);
    var unused =
        CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
            .whenComplete((_, failure) -> end(done, failure));
  }

  private void end(CompletableFuture<Void> done, Throwable failure) {
    endWhenStale(done, underWay.remove(done));
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(failure);
    }
  }

  private CompletableFuture<?> flushBackup(HostId member, int pg, long view) {
    CompletableFuture<Message> done = new CompletableFuture<>();
    groups.call(
        member,
        new Message.FlushBackup(Map.of(pg, view)),
        done::complete,
        done::completeExceptionally);
    return done;
  }

  void flushBackup(Message.FlushBackup flush, Consumer<Message> reply) {
    flush
        .viewOfGroup()
        .forEach(
            (pg, inView) -> {
              PgView view = groups.group(pg).currentView();
              if (view == null || view.view() != inView || !groups.group(pg).hasRole()) {
                throw new TrefoilException(Reason.STALE_VIEW, "not in this view");
              }
            });
    groups.after(host.disk.sync(host.disk.end()), reply, Message.Done::new);
  }

  /** Views have changed: who is flushed in an older one asks again. */
  void endStale() {
    new LinkedHashMap<>(underWay).forEach(this::endWhenStale);
  }

  private void endWhenStale(CompletableFuture<Void> flush, Map<Integer, Long> viewOfGroup) {
    try {
      viewOfGroup.forEach(groups::servingView);
    } catch (TrefoilException e) {
      flush.completeExceptionally(e);
    }
  }
}
