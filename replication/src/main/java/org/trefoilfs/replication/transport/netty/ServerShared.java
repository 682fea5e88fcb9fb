package org.trefoilfs.replication.transport.netty;

import java.util.function.Supplier;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;

/** What a server's connections have in common. */
record ServerShared(
    Transport.Handler handler,
    Supplier<LocalIdentity> identity,
    TransportOptions options,
    PeerLog peerLog) {}
