package org.trefoilfs.tools.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Free ports on the loopback address. A host needs two: its own, and the next one. */
public final class Ports {
  private static final int PER_HOST = 2;

  /** Below the range from which kernels take the ports of outgoing connections (ip(7)). */
  private static final int END = 32_000;

  private Ports() {}

  /** The first ports of {@code count} free pairs from {@code start} upwards. */
  public static List<Integer> free(int count, int start) {
    List<Integer> found = new ArrayList<>();
    for (int port = start; found.size() < count && port + 1 < END; port += PER_HOST) {
      if (isFree(port) && isFree(port + 1)) {
        found.add(port);
      }
    }
    if (found.size() < count) {
      throw new TrefoilException(
          Reason.BUSY, "no " + count + " pairs of free ports from " + start + "; stop something");
    }
    return found;
  }

  public static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }
}
