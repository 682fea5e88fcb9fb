package org.trefoilfs.replication.statelog;

import java.util.Map;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;

/** Who holds the state log: those who vote, and those who only follow. State log addresses. */
public record Members(Map<HostId, Address> voters, Map<HostId, Address> listeners) {
  public Members {
    voters = Map.copyOf(voters);
    listeners = Map.copyOf(listeners);
  }
}
