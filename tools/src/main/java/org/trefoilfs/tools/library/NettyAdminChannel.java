package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.netty.NettyTransport;
import org.trefoilfs.tools.admin.Verb;

/** A line to a daemon over the hosts' own wire. */
final class NettyAdminChannel implements AdminChannel {
  private static final byte[] NOTHING = {'{', '}'};

  private final NettyTransport transport;
  private final Address peer;

  private NettyAdminChannel(NettyTransport transport, Address peer) {
    this.transport = transport;
    this.peer = peer;
  }

  /** The first of the hosts that answers; each is given as long. */
  static AdminChannel connect(List<Address> anyOf, Duration timeout) {
    NettyTransport transport =
        new NettyTransport(
            () -> LocalIdentity.CLIENT, TransportOptions.DEFAULT.withConnectTimeout(timeout));
    TrefoilException last = new TrefoilException(Reason.UNAVAILABLE, "no address to ask was given");
    for (Address address : anyOf) {
      NettyAdminChannel channel = new NettyAdminChannel(transport, address);
      try {
        channel.call(Verb.WHERE.wire(), NOTHING, timeout);
        return channel;
      } catch (TrefoilException e) {
        last = e;
      }
    }
    transport.close();
    // Asking where a host is changes nothing: an answer that was lost is no answer.
    throw last.reason() == Reason.OUTCOME_UNKNOWN
        ? new TrefoilException(Reason.UNAVAILABLE, String.valueOf(last.getMessage()), last)
        : last;
  }

  @Override
  public Address peer() {
    return peer;
  }

  @Override
  public byte[] call(String verb, byte[] body, Duration timeout) {
    try {
      Message answer = transport.call(peer, new Message.Admin(verb, body), timeout).join();
      if (answer instanceof Message.AdminReply(byte[] reply)) {
        return reply;
      }
      throw new TrefoilException(
          Reason.REFUSED, peer + ": does not answer as a Trefoil host; check the address");
    } catch (CompletionException e) {
      throw TrefoilException.of(e);
    }
  }

  @Override
  public void close() {
    transport.close();
  }
}
