package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.transport.Message;

/** Calls a host by its id: this one without leaving the process, others over the wire. */
@FunctionalInterface
public interface Peers {
  /** As {@code Transport.call}; UNAVAILABLE for a host that is not in the view. */
  CompletableFuture<Message> call(HostId to, Message request, Duration timeout);
}
