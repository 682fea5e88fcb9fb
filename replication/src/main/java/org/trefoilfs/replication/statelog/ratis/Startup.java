package org.trefoilfs.replication.statelog.ratis;

import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/** What is checked and prepared before a replica starts. */
final class Startup {
  private Startup() {}

  static List<RaftPeer> initialPeers(RatisOptions options) {
    return options.start() == Start.BOOTSTRAP
        ? List.of(Peers.peer(options.self(), options.raftAddress(), RaftPeerRole.FOLLOWER))
        : List.of();
  }

  static void checkDirectory(RatisOptions options) {
    if (options.start() == Start.RESTART
        && !Files.isDirectory(Tuning.storage(options).resolve(options.cluster().toString()))) {
      throw new TrefoilException(
          Reason.INVALID,
          "no state log of cluster "
              + options.cluster()
              + " in "
              + options.directory()
              + "; if its disk was lost, remove this host from the cluster and let it join anew");
    }
    try {
      Files.createDirectories(Tuning.storage(options));
    } catch (IOException e) {
      throw unstartable(options, e);
    }
  }

  static TrefoilException unstartable(RatisOptions options, Exception cause) {
    if (cause instanceof TrefoilException known) {
      return known;
    }
    return new TrefoilException(
        Reason.IO,
        "the state log in "
            + options.directory()
            + " cannot start at "
            + options.raftAddress()
            + ": "
            + cause
            + "; check that no other daemon uses the directory or the port, and the disk",
        cause);
  }

  static Map<Byte, StateModule> byId(List<StateModule> modules) {
    Map<Byte, StateModule> byId = new HashMap<>();
    for (StateModule module : modules) {
      if (module.id() == 0 || byId.put(module.id(), module) != null) {
        throw new IllegalArgumentException("id " + module.id() + " of a state module is taken");
      }
    }
    return byId;
  }
}
