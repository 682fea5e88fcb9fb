package org.trefoilfs.tools.daemon;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.Json;

/**
 * {@code DIR/daemon.json}: who serves this directory, or did last. Replaced atomically; written
 * when the daemon serves, so its presence with a living process means "ready".
 *
 * @param process {@link ProcessId#NONE} after a clean stop
 * @param peers addresses of the cluster's hosts, this one first, to ask when this one is down
 * @param options what the host was started with, for the next start
 */
public record DaemonFile(
    ProcessId process,
    String clusterId,
    String name,
    List<String> peers,
    Map<String, String> options) {
  public static final String NAME = "daemon.json";

  public DaemonFile {
    peers = List.copyOf(peers);
    options = Map.copyOf(options);
  }

  public static Optional<DaemonFile> load(Path data) {
    return Json.load(data.resolve(NAME), DaemonFile.class);
  }

  public void store(Path data) {
    Json.store(data.resolve(NAME), this);
  }

  @JsonIgnore
  public boolean isRunning() {
    return process.lives();
  }

  public DaemonFile stopped() {
    return new DaemonFile(ProcessId.NONE, clusterId, name, peers, options);
  }

  public DaemonFile withPeers(List<String> others) {
    return new DaemonFile(process, clusterId, name, others, options);
  }

  public List<Address> addresses() {
    List<Address> parsed = new ArrayList<>();
    for (String peer : peers) {
      parsed.add(Address.parse(peer, HostOptions.DEFAULT_PORT));
    }
    return parsed;
  }

  /** The options of the last start; keys that this version does not know are left out. */
  public HostConfig remembered() {
    HostConfig config = HostConfig.empty();
    for (Map.Entry<String, String> entry : options.entrySet()) {
      Optional<Key> key = Key.ofText(entry.getKey());
      if (key.isPresent()) {
        config = config.with(key.get(), entry.getValue());
      }
    }
    return config;
  }
}
