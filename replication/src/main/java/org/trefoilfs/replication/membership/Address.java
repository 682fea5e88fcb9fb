package org.trefoilfs.replication.membership;

import java.net.InetSocketAddress;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Where a host listens: an IP address or name, and a TCP port. */
public record Address(String host, int port) {
  public Address {
    if (host.isBlank() || port < 0 || port > 65_535) {
      throw new TrefoilException(
          Reason.INVALID,
          "'"
              + host
              + ":"
              + port
              + "' is not an address; write ADDRESS:PORT, for example 10.0.0.1:7440");
    }
  }

  /** Parses {@code ADDRESS:PORT}, {@code [v6]:PORT} or {@code ADDRESS} with the default port. */
  public static Address parse(String text, int defaultPort) {
    int colon = text.lastIndexOf(':');
    boolean bareV6 = colon >= 0 && text.indexOf(':') != colon && !text.startsWith("[");
    if (colon < 0 || bareV6 || text.endsWith("]")) {
      return new Address(unbracket(text), defaultPort);
    }
    try {
      return new Address(
          unbracket(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw new TrefoilException(
          Reason.INVALID,
          "'" + text + "' is not an address; write ADDRESS:PORT, for example 10.0.0.1:7440",
          e);
    }
  }

  public void writeTo(ByteWriter out) {
    out.string(host).i32(port);
  }

  public static Address readFrom(ByteReader in) {
    return new Address(in.string(), in.i32());
  }

  public InetSocketAddress toSocketAddress() {
    return new InetSocketAddress(host, port);
  }

  private static String unbracket(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
