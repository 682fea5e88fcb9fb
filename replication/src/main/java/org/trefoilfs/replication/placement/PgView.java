package org.trefoilfs.replication.placement;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.membership.HostId;

/**
 * A placement group as the state log records it (PacificA's configuration). A change is a
 * compare-and-set on {@code view}.
 *
 * @param pg pool and number, see {@link Pools}
 * @param view grows by one at each change
 * @param primary the member that orders writes; absent while the group is closed: after all members
 *     stopped at once it opens only when the complete in-sync set is back
 * @param inSync members that hold every committed write, each under the incarnation in which it
 *     does
 * @param joining hosts that receive live writes and are catching up
 */
public record PgView(
    int pg, long view, @Nullable HostId primary, List<Member> inSync, List<HostId> joining) {
  /**
   * An in-sync member: a restarted host has another incarnation, and is not the member that it was.
   */
  public record Member(HostId host, long incarnation) {}

  public PgView {
    inSync = List.copyOf(inSync);
    joining = List.copyOf(joining);
  }

  public boolean isOpen() {
    return primary != null;
  }

  public Optional<Member> member(HostId host) {
    return inSync.stream().filter(member -> member.host().equals(host)).findFirst();
  }

  public boolean isInSync(HostId host, long incarnation) {
    return inSync.contains(new Member(host, incarnation));
  }
}
