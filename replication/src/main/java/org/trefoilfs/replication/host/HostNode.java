package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * What the groups need of their host. Its parts are wired after the groups exist, before the first
 * event.
 */
final class HostNode implements GroupNode {
  private final Identity identity;
  private final TimeSource time;
  private final Supplier<ClusterView> view;
  private final Duration detection;
  private final Admission admission;
  private @Nullable Parts parts;

  record Parts(
      Journal journal,
      ChunkStore store,
      Applier applier,
      Heartbeats heartbeats,
      HostLink link,
      Proposals proposals,
      CatchUps catchUps,
      DiskRoom room,
      PayloadMemory memory,
      Consumer<TrefoilException> fail) {}

  HostNode(Identity identity, TimeSource time, Supplier<ClusterView> view, Duration detection) {
    this.identity = identity;
    this.time = time;
    this.view = view;
    this.detection = detection;
    this.admission = new Admission(time, this::usable);
  }

  void wire(Parts wired) {
    this.parts = wired;
  }

  private Parts parts() {
    return java.util.Objects.requireNonNull(parts);
  }

  @Override
  public HostId self() {
    return identity.host();
  }

  @Override
  public long incarnation() {
    return identity.incarnation();
  }

  @Override
  public TimeSource time() {
    return time;
  }

  @Override
  public boolean leased() {
    return parts().heartbeats().leased();
  }

  @Override
  public DiskRoom room() {
    return parts().room();
  }

  @Override
  public PayloadMemory memory() {
    return parts().memory();
  }

  @Override
  public Admission admission() {
    return admission;
  }

  private long usable(HostId host) {
    Message.HostReport report = parts().heartbeats().reports().get(host);
    return report == null ? 0 : report.spaceUsable();
  }

  @Override
  public ClusterView view() {
    return view.get();
  }

  @Override
  public Peers peers() {
    return parts().link();
  }

  @Override
  public Applier applier() {
    return parts().applier();
  }

  @Override
  public Journal journal() {
    return parts().journal();
  }

  @Override
  public ChunkStore store() {
    return parts().store();
  }

  @Override
  public Duration detection() {
    return detection;
  }

  @Override
  public void propose(PgView next) {
    parts().proposals().add(next);
  }

  @Override
  public void failed(TrefoilException why) {
    parts().fail().accept(why);
  }

  @Override
  public void startCatchUp(Slot slot, long inView, HostId primary) {
    parts().catchUps().start(slot, inView, primary);
  }
}
