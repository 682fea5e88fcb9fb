package org.trefoilfs.replication.transport.netty;

import io.netty.util.Timeout;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.TransportOptions;

/** What a client's connections have of their transport. */
interface ClientShared {
  TransportOptions options();

  LocalIdentity identity();

  /**
   * Runs a task on the timer's thread.
   *
   * @throws java.util.concurrent.RejectedExecutionException the transport has been closed
   */
  Timeout after(Duration delay, Runnable task);

  PeerLog peerLog();

  /** Looks up an address without blocking an event loop; unresolved when there is none. */
  void resolve(Address address, Consumer<InetSocketAddress> found);

  /** The connection has ended, after it had served for so long. */
  void forget(ClientConnection connection, long servedNs);
}
