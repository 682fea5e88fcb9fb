package org.trefoilfs.replication.statelog.ratis;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;

/** Hosts as Ratis names them. */
final class Peers {
  private Peers() {}

  static RaftPeerId id(HostId host) {
    return RaftPeerId.valueOf(host.toString());
  }

  static Optional<HostId> host(@Nullable RaftPeerId id) {
    return id == null || id.toString().isEmpty()
        ? Optional.empty()
        : Optional.of(new HostId(Integer.parseInt(id.toString().substring(1))));
  }

  static RaftPeer peer(HostId host, Address address, RaftPeerRole role) {
    return RaftPeer.newBuilder()
        .setId(id(host))
        .setAddress(address.toString())
        .setStartupRole(role)
        .build();
  }

  static List<RaftPeer> peers(Map<HostId, Address> hosts, RaftPeerRole role) {
    List<RaftPeer> peers = new ArrayList<>(hosts.size());
    hosts.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> peers.add(peer(entry.getKey(), entry.getValue(), role)));
    return peers;
  }

  static Map<HostId, Address> hosts(Collection<RaftPeer> peers) {
    Map<HostId, Address> hosts = new HashMap<>();
    for (RaftPeer peer : peers) {
      host(peer.getId()).ifPresent(id -> hosts.put(id, Address.parse(peer.getAddress(), 0)));
    }
    return hosts;
  }
}
