package org.trefoilfs.replication.host;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** What a host is called unless told. */
final class Names {
  private Names() {}

  static String ofThisMachine() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "host";
    }
  }
}
