package org.trefoilfs.mount.namespace;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.membership.OperationId;

/**
 * Measures how fast commands are applied and queries answered on an in-memory state; run by hand.
 */
final class NamespaceSpeed {
  private static final int FILES = 200_000;
  private static final int PER_DIRECTORY = 1_000;

  private NamespaceSpeed() {}

  public static void main(String[] args) {
    for (int round = 0; round < 3; round++) {
      measure();
    }
  }

  private static void measure() {
    NamespaceFixture fs = new NamespaceFixture();
    List<Location> places = new ArrayList<>(FILES);
    fs.directory("a");
    fs.directory("a/b");
    for (int i = 0; i < FILES / PER_DIRECTORY; i++) {
      fs.directory("a/b/" + i);
      for (int j = 0; j < PER_DIRECTORY; j++) {
        places.add(fs.at("a/b/" + i + "/file" + j));
      }
    }
    NamespaceModule module = new NamespaceModule();
    InMemoryKeyValue state = fs.log.state(NamespaceModule.ID);
    List<byte[]> creates = commands(places);
    long start = cpuNanos();
    for (byte[] command : creates) {
      state.begin();
      module.apply(state, command);
    }
    report("creates at depth 4", start);
    List<byte[]> lookups = new ArrayList<>();
    for (Location place : places) {
      lookups.add(new Query.Lookup(NamespaceFixture.VOLUME, place).toBytes());
    }
    start = cpuNanos();
    for (byte[] query : lookups) {
      module.query(state, query);
    }
    report("lookups at depth 4", start);
    byte[] absent =
        new Query.Lookup(
                NamespaceFixture.VOLUME,
                Location.of(fs.root, "absent".getBytes(StandardCharsets.UTF_8)))
            .toBytes();
    start = cpuNanos();
    for (int i = 0; i < FILES; i++) {
      module.query(state, absent);
    }
    report("negative lookups at depth 1", start);
  }

  private static List<byte[]> commands(List<Location> places) {
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    List<byte[]> commands = new ArrayList<>();
    long sequence = 1_000_000;
    for (Location place : places) {
      OperationId id = new OperationId(NamespaceFixture.SESSION, sequence);
      Operation create = new Operation.Create(place, file);
      commands.add(
          new Command.Operate(NamespaceFixture.VOLUME, id, sequence, sequence, create).toBytes());
      sequence++;
    }
    return commands;
  }

  /** Processor time, so that what else the machine does is not measured. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void report(String what, long start) {
    double seconds = (cpuNanos() - start) / 1e9;
    System.out.printf("%-28s %,10.0f /s%n", what, FILES / seconds);
  }
}
