package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;

/**
 * Everything that the command line asks of the filesystem proper. Failures are {@code
 * TrefoilException}; UNAVAILABLE when no host could be reached.
 */
public interface Library {
  /** Starts a host; returns when it serves. */
  RunningHost start(HostOptions options, AdminHandler admin);

  /** A line to the first of these hosts that answers. */
  AdminChannel connect(List<Address> anyOf, Duration timeout);

  /** Takes part in the cluster without being a host of it, for a mount of its own. */
  ClusterAccess attach(List<Address> anyOf, Duration timeout);

  /** Checks the chunk store of a host that is not running. */
  FsckResult fsck(Path data);

  /** Answers administrative requests that arrive at a host; called off the transport's threads. */
  @FunctionalInterface
  interface AdminHandler {
    CompletableFuture<byte[]> handle(String verb, byte[] body);
  }
}
