package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.function.Predicate;
import org.trefoilfs.mount.namespace.NamespaceModule;
import org.trefoilfs.mount.namespace.Query;
import org.trefoilfs.mount.namespace.Reply;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.VolumeInfo;

/** Creates, changes, counts and deletes volumes through the state log. */
final class VolumeAdministration {
  /** A member's own view follows the state log's leader by milliseconds. */
  private static final Duration VIEW_LAG = Duration.ofSeconds(5);

  private static final Duration POLL = Duration.ofMillis(5);

  /** The hosts that a new pool is placed on may change between looking and placing. */
  private static final int PLACINGS = 5;

  private final Member member;

  VolumeAdministration(Member member) {
    this.member = member;
  }

  /** The cluster with everything that was committed before the call. */
  ClusterView latestView() {
    return Waits.get(member.cluster().latest(member.view()));
  }

  VolumeInfo create(String name, int replicas, Promises promises) {
    CreateVolume command =
        new CreateVolume(name, replicas, promises.minInSync(), promises.commit(), promises.rpo());
    for (int attempt = 1; ; attempt++) {
      try {
        Waits.get(member.cluster().createVolume(latestView(), command));
        return awaitNamed(name, _ -> true);
      } catch (TrefoilException e) {
        if (e.reason() != Reason.STALE_VIEW || attempt == PLACINGS) {
          throw e;
        }
        pause();
      }
    }
  }

  VolumeInfo set(VolumeInfo volume, int replicas, Promises promises) {
    if (replicas != volume.replicas()) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          "volume "
              + volume.name()
              + ": its replicas are "
              + volume.replicas()
              + " and cannot be changed in this version; create another volume and copy");
    }
    int minInSync = promises.minInSync();
    SetVolume command = new SetVolume(volume.name(), minInSync, promises.commit(), promises.rpo());
    Waits.get(member.cluster().setVolume(command));
    return awaitNamed(
        volume.name(),
        seen ->
            seen.commit() == promises.commit()
                && seen.rpo().equals(promises.rpo())
                && (minInSync == 0 || seen.minInSync() == minInSync));
  }

  /** One that is gone by now has been deleted, if not by this call. */
  void delete(VolumeInfo volume) {
    try {
      Waits.get(member.cluster().deleteVolume(volume.name()));
    } catch (TrefoilException e) {
      if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
    }
  }

  VolumeUsage usage(VolumeInfo volume) {
    byte[] query = new Query.GetUsage(volume.id()).toBytes();
    return switch (Reply.of(Waits.get(member.stateLog().query(NamespaceModule.ID, query)))) {
      case Reply.UsageIs(var usage) -> new VolumeUsage(usage.inodes(), usage.bytes());
      // Nobody has mounted it yet: it has not even a root.
      case Reply.Failed(Reason reason) when reason == Reason.NOT_FOUND || reason == Reason.STALE ->
          new VolumeUsage(0, 0);
      case Reply.Failed(Reason reason) ->
          throw new TrefoilException(reason, "volume " + volume.name() + ": cannot be counted");
      default ->
          throw new TrefoilException(
              Reason.INTERNAL, "volume " + volume.name() + ": unexpected answer to counting it");
    };
  }

  private VolumeInfo awaitNamed(String name, Predicate<VolumeInfo> changed) {
    long deadline = System.nanoTime() + VIEW_LAG.toNanos();
    while (System.nanoTime() < deadline) {
      VolumeInfo volume = member.view().volumes().get(name);
      if (volume != null && changed.test(volume)) {
        return volume;
      }
      pause();
    }
    throw new TrefoilException(
        Reason.OUTCOME_UNKNOWN,
        "volume " + name + ": this host does not see the change yet; see: trefoil volume list");
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.OUTCOME_UNKNOWN, "interrupted while waiting", e);
    }
  }
}
