package org.trefoilfs.replication.host;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.Collections;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;

/** Finds the address under which a host is known to the others. */
final class Addresses {
  /** Ports tried when any free pair will do. */
  private static final int ATTEMPTS = 50;

  private Addresses() {}

  /**
   * What was asked for; else the address that faces the host to join; else this machine's first
   * address.
   */
  static Address choose(HostOptions options) {
    Address wanted =
        options
            .listen()
            .orElseGet(
                () ->
                    new Address(
                        options.join().flatMap(Addresses::facing).orElseGet(Addresses::first),
                        HostOptions.DEFAULT_PORT));
    return wanted.port() == 0 ? new Address(wanted.host(), freePair(wanted.host())) : wanted;
  }

  /** Fails when the port, or the next one for the state log, is taken. */
  static void checkFree(Address address) {
    for (int port : new int[] {address.port(), address.port() + 1}) {
      if (!isFree(address.host(), port)) {
        throw new TrefoilException(
            Reason.BUSY,
            "port "
                + port
                + " of "
                + address.host()
                + " is taken or not of this machine; choose another with --listen ADDRESS:PORT (the next port is used"
                + " too, for the state log)");
      }
    }
  }

  private static boolean isFree(String host, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePair(String host) {
    for (int i = 0; i < ATTEMPTS; i++) {
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(host, 0));
        int port = socket.getLocalPort();
        if (port < 65_535 && isFree(host, port + 1)) {
          return port;
        }
      } catch (IOException e) {
        throw new TrefoilException(
            Reason.INVALID, "cannot listen on " + host + ": " + e.getMessage(), e);
      }
    }
    throw new TrefoilException(
        Reason.BUSY, "no two free ports side by side on " + host + "; name one with --listen");
  }

  /**
   * Connecting a datagram socket sends nothing: it asks the routing table for the source address.
   */
  private static Optional<String> facing(Address peer) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(peer.host(), peer.port()));
      InetAddress local = socket.getLocalAddress();
      return local.isAnyLocalAddress() ? Optional.empty() : Optional.of(local.getHostAddress());
    } catch (SocketException | RuntimeException e) {
      return Optional.empty();
    }
  }

  private static String first() {
    try {
      return Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
          .flatMap(network -> Collections.list(network.getInetAddresses()).stream())
          .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
          .filter(address -> address instanceof java.net.Inet4Address)
          .map(InetAddress::getHostAddress)
          .findFirst()
          .orElse("127.0.0.1");
    } catch (SocketException e) {
      return "127.0.0.1";
    }
  }
}
