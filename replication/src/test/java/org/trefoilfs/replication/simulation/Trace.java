package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** What happened, for a person to read; nothing is formatted unless it is wanted. */
final class Trace {
  private final boolean wanted;
  private final Network network;
  private final List<String> lines = new ArrayList<>();

  Trace(boolean wanted, Network network) {
    this.wanted = wanted;
    this.network = network;
  }

  void add(Supplier<String> line) {
    if (wanted) {
      lines.add("%10.3f ms  %s".formatted(network.now() / 1e6, line.get()));
    }
  }

  List<String> lines() {
    return lines;
  }
}
