package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.transport.Message.HostReport;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.MountList;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.RunningHost;

/** The mounts of all hosts, each asked for its own. */
final class ClusterMounts {
  /** A host that does not answer so soon is left out: a status must not wait for the dead. */
  private static final Duration PATIENCE = Duration.ofMillis(700);

  private static final Executor VIRTUAL = task -> Thread.ofVirtual().start(task);

  private final RunningHost host;
  private final KeptMounts own;

  ClusterMounts(RunningHost host, KeptMounts own) {
    this.host = host;
    this.own = own;
  }

  List<MountLine> all(ClusterSnapshot snapshot) {
    List<CompletableFuture<List<MountLine>>> answers = new ArrayList<>();
    for (HostInfo other : snapshot.hosts()) {
      HostReport report = snapshot.reports().get(other.id());
      if (other.id().equals(host.identity().id())) {
        answers.add(CompletableFuture.completedFuture(own.lines()));
      } else if (report != null && report.alive()) {
        answers.add(CompletableFuture.supplyAsync(() -> ask(other), VIRTUAL));
      }
    }
    return answers.stream().flatMap(answer -> answer.join().stream()).toList();
  }

  private List<MountLine> ask(HostInfo other) {
    try {
      return of(other, PATIENCE);
    } catch (TrefoilException silent) {
      return List.of();
    }
  }

  /** Of one host, which is waited for so long; fails when it does not answer. */
  List<MountLine> of(HostInfo asked, Duration patience) {
    if (asked.id().equals(host.identity().id())) {
      return own.lines();
    }
    byte[] question = Json.bytes(new Messages.Nothing());
    byte[] reply = host.ask(asked.address(), Verb.MOUNTS.wire(), question, patience);
    return Json.read(reply, MountList.class).mounts();
  }
}
