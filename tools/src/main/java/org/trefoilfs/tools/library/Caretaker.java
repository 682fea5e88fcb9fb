package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Command;
import org.trefoilfs.mount.namespace.NamespaceModule;
import org.trefoilfs.mount.namespace.Orphan;
import org.trefoilfs.mount.namespace.Query;
import org.trefoilfs.mount.namespace.Reply;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.Host;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.volume.Volume;

/**
 * Gives back what nobody can reach any more, on the host that leads: chunks of files without names
 * that no mount holds open, what closed sessions held, and the files of deleted volumes. Every step
 * may be repeated, so that a new leader simply starts again.
 */
final class Caretaker implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofMillis(500);

  /** Chunks of so many files are deleted before their orphans are forgotten in one command. */
  private static final int BATCH = 256;

  /** Rows of a deleted volume removed by one command; keeps its apply time in milliseconds. */
  private static final int REAPED = 1000;

  /** A round ends after so many batches, so that other duties get their turn. */
  private static final int BATCHES = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Caretaker.class);

  private final Member member;
  private final Host host;

  /** Of sessions whose fence is awaited: an epoch in which they were over. */
  private final Map<Long, Long> endedAt = new HashMap<>();

  private final Map<Integer, Volume> volumes = new HashMap<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("caretaker").unstarted(task));

  Caretaker(Member member, Host host) {
    this.member = member;
    this.host = host;
  }

  void start() {
    var unused =
        thread.scheduleWithFixedDelay(
            this::round, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void round() {
    try {
      if (host.isLeader()) {
        dropEnded();
        reclaim();
        reapVolumes();
      }
    } catch (TrefoilException e) {
      LOG.debug("caretaking goes on later", e);
    } catch (RuntimeException e) {
      LOG.warn("caretaking failed and goes on later", e);
    }
  }

  /**
   * What closed sessions held goes once every host keeps their late writes out: others may be given
   * it then.
   */
  private void dropEnded() {
    byte[] answer =
        Waits.get(member.stateLog().query(NamespaceModule.ID, new Query.SessionsKept().toBytes()));
    if (!(Reply.of(answer) instanceof Reply.Numbers(List<Long> kept))) {
      throw new TrefoilException(Reason.INTERNAL, "unexpected answer about sessions");
    }
    // A session is in the view before the namespace hears of it: one that is not, is over.
    ClusterView view = member.view();
    endedAt.keySet().retainAll(kept);
    for (long session : kept) {
      if (!view.sessions().containsKey(session)
          && host.isFenced(endedAt.computeIfAbsent(session, any -> view.epoch()))) {
        submit(new Command.DropPins(session));
        endedAt.remove(session);
      }
    }
  }

  private void reclaim() {
    long upTo = host.minimumOrphanCursor();
    long after = 0;
    for (int batch = 0; batch < BATCHES && upTo > 0; batch++) {
      Query query = new Query.Reclaimable(after, upTo, BATCH);
      byte[] answer = Waits.get(member.stateLog().query(NamespaceModule.ID, query.toBytes()));
      if (!(Reply.of(answer) instanceof Reply.Reclaimable(List<Orphan> orphans, long next))) {
        throw new TrefoilException(Reason.INTERNAL, "unexpected answer about orphans");
      }
      if (!orphans.isEmpty()) {
        erase(orphans);
      }
      if (next == 0) {
        return;
      }
      after = next;
    }
  }

  /**
   * Chunks first: an orphan that is forgotten could never give its chunks back. One whose replicas
   * are away keeps the others from nothing.
   */
  private void erase(List<Orphan> orphans) {
    Map<Orphan, CompletableFuture<Void>> deletions = new LinkedHashMap<>();
    for (Orphan orphan : orphans) {
      deletions.put(
          orphan,
          orphan.size() == 0
              ? CompletableFuture.completedFuture(null)
              : volume(orphan.volume())
                  .map(volume -> volume.delete(orphan.inode(), orphan.size()))
                  .orElseGet(() -> CompletableFuture.completedFuture(null)));
    }
    List<Long> erased = new ArrayList<>();
    deletions.forEach(
        (orphan, deletion) -> {
          try {
            Waits.get(deletion);
            erased.add(orphan.sequence());
          } catch (TrefoilException e) {
            LOG.debug("inode {} keeps its chunks for now: {}", orphan.inode(), e.getMessage());
          }
        });
    if (!erased.isEmpty()) {
      submit(new Command.Reclaim(erased));
      LOG.debug("gave back {} files", erased.size());
    }
  }

  private Optional<Volume> volume(int id) {
    VolumeInfo info = member.view().volumesById().get(id);
    return info == null
        ? Optional.empty()
        : Optional.of(volumes.computeIfAbsent(id, any -> host.openVolume(info)));
  }

  private void reapVolumes() {
    for (VolumeInfo volume : member.view().volumesById().values()) {
      if (volume.deleted() && isReaped(volume)) {
        Waits.get(member.cluster().volumeGone(volume.id()));
        volumes.remove(volume.id());
        LOG.info("the files of deleted volume {} are gone", volume.name());
      }
    }
  }

  /** Its files become orphans, which {@link #reclaim} gives back; whether none of them is left. */
  private boolean isReaped(VolumeInfo volume) {
    Reply reply = submit(new Command.ReapVolume(volume.id(), REAPED));
    for (int batch = 0; batch < BATCHES; batch++) {
      if (!(reply instanceof Reply.Reaped(int removed, long left)) || removed == 0) {
        break;
      }
      LOG.debug("volume {}: {} rows removed, {} files left", volume.name(), removed, left);
      reply = submit(new Command.ReapVolume(volume.id(), REAPED));
    }
    return switch (reply) {
      case Reply.Reaped(int removed, long left) -> left == 0;
      // Nobody ever mounted it.
      case Reply.Failed(Reason reason) -> reason == Reason.NOT_FOUND;
      default -> false;
    };
  }

  private Reply submit(Command command) {
    return Reply.of(Waits.get(member.stateLog().submit(NamespaceModule.ID, command.toBytes())));
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
