package org.trefoilfs.replication.commit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;

/** The changes of a view that its primary may propose. */
final class ViewChange {
  private ViewChange() {}

  /**
   * Joiners that hold everything become in-sync. Their incarnation is left 0: whoever submits the
   * change fills in the one under which the host is registered.
   */
  static PgView promote(PgView view, Collection<HostId> joiners) {
    List<PgView.Member> inSync = new ArrayList<>(view.inSync());
    joiners.forEach(joiner -> inSync.add(new PgView.Member(joiner, 0)));
    return view.next(view.primary(), inSync, without(view.joining(), joiners));
  }

  /**
   * Silent members become joiners, and silent joiners leave: the controller brings them back when
   * it can.
   */
  static PgView demote(PgView view, Collection<HostId> silent) {
    List<PgView.Member> inSync =
        view.inSync().stream().filter(member -> !silent.contains(member.host())).toList();
    List<HostId> joining = new ArrayList<>(without(view.joining(), silent));
    view.inSync().stream().map(PgView.Member::host).filter(silent::contains).forEach(joining::add);
    return view.next(view.primary(), inSync, joining);
  }

  private static List<HostId> without(List<HostId> hosts, Collection<HostId> gone) {
    return hosts.stream().filter(host -> !gone.contains(host)).toList();
  }
}
