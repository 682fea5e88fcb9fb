package org.trefoilfs.replication.transport.netty;

import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Message.Lane;

/** What a client's connection leads to. */
record Peer(Address address, Lane lane) {
  @Override
  public String toString() {
    return address.toString();
  }
}
