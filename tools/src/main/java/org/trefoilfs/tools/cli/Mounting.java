package org.trefoilfs.tools.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.Hosts;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Messages.Volumes;
import org.trefoilfs.tools.admin.Messages.Where;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.mount.Registry;

/** Decides who mounts: a daemon that sees the same directories, or a process of its own. */
final class Mounting {
  private final Context context;
  private final Target target;

  Mounting(Context context, Target target) {
    this.context = context;
    this.target = target;
  }

  void mount(MountSpec spec) {
    try (AdminClient first = context.connect(target, Context.ANSWER)) {
      Where where = first.ask(Verb.WHERE, Where.class);
      if (isHere(where)) {
        first.ask(Verb.MOUNT, spec, Nothing.class);
        return;
      }
      Optional<Registry.Daemon> local = localDaemon(where.clusterId());
      if (local.isPresent()) {
        askLocal(local.get(), spec);
      } else {
        mountApart(first, spec);
      }
    }
  }

  private static boolean isHere(Where where) {
    return new Here(where.place().boot(), where.place().mountNamespace()).equals(Here.current());
  }

  private Optional<Registry.Daemon> localDaemon(String clusterId) {
    return context.machine().registry().daemons().stream()
        .filter(daemon -> daemon.clusterId().equals(clusterId))
        .filter(daemon -> daemon.here().equals(Here.current()))
        .findFirst();
  }

  private void askLocal(Registry.Daemon daemon, MountSpec spec) {
    Address address = Address.parse(daemon.address(), HostOptions.DEFAULT_PORT);
    Target local = new Target(List.of(address), "the host on this machine");
    try (AdminClient client = context.connect(local, Context.ANSWER)) {
      client.ask(Verb.MOUNT, spec, Nothing.class);
    }
  }

  private void mountApart(AdminClient client, MountSpec spec) {
    checkVolume(client.ask(Verb.VOLUME_LIST, Volumes.class), spec.volume());
    MountPoints.check(spec);
    ClientMount.start(context, hosts(client), spec);
  }

  private static void checkVolume(Volumes volumes, String name) {
    List<String> names = volumes.volumes().stream().map(VolumeLine::name).toList();
    if (!names.contains(name)) {
      throw new TrefoilException(
          Reason.NOT_FOUND,
          "volume "
              + name
              + ": there is no such volume; "
              + (names.isEmpty()
                  ? "create it with: trefoil volume create " + name
                  : "the volumes are " + String.join(", ", names)));
    }
  }

  /** All hosts, the one that answers first: the mount then outlives the loss of any of them. */
  private static String hosts(AdminClient client) {
    List<String> addresses = new ArrayList<>(List.of(client.peer().toString()));
    for (HostLine host : client.ask(Verb.HOST_LIST, Hosts.class).hosts()) {
      addresses.add(host.address());
    }
    return addresses.stream().distinct().collect(Collectors.joining(","));
  }
}
