package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Directory;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.KeptMounts;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.Registry;

/** Takes a mount off by whoever holds it, and in spite of them if need be. */
final class Unmounting {
  /** A daemon that takes longer is stuck, and its mount is taken off without it. */
  private static final Duration ANSWER = Duration.ofSeconds(15);

  private final Context context;
  private final Registry registry;

  Unmounting(Context context) {
    this.context = context;
    this.registry = context.machine().registry();
  }

  void unmount(Path directory) {
    Optional<Registry.Mount> owner = registry.mountAt(directory);
    boolean done = owner.map(mount -> byOwner(mount, directory)).orElse(false);
    if (MountPoints.isMounted(directory)) {
      MountPoints.detach(directory);
      done = true;
    }
    // A daemon may remember a mount that is not up.
    if (!done && !byAnyDaemon(directory)) {
      throw new TrefoilException(
          Reason.NOT_FOUND, directory + ": not mounted; see: trefoil status");
    }
    registry.removeMount(directory);
  }

  private boolean byOwner(Registry.Mount owner, Path directory) {
    if (!owner.process().lives()) {
      if (!owner.data().isEmpty()) {
        KeptMounts.forget(Path.of(owner.data()), directory);
      }
      return false;
    }
    if (!owner.address().isEmpty()) {
      return ask(owner.address(), directory);
    }
    ProcessHandle.of(owner.process().pid()).ifPresent(ProcessHandle::destroy);
    return DaemonProcess.awaitEnd(owner.process(), ANSWER);
  }

  private boolean byAnyDaemon(Path directory) {
    return registry.daemons().stream()
        .filter(daemon -> daemon.here().equals(Here.current()))
        .anyMatch(daemon -> ask(daemon.address(), directory));
  }

  private boolean ask(String address, Path directory) {
    Target daemon =
        new Target(
            List.of(Address.parse(address, HostOptions.DEFAULT_PORT)), "the mount's own host");
    try (AdminClient client = context.connect(daemon, ANSWER)) {
      client.ask(Verb.UNMOUNT, new Directory(directory.toString()), Nothing.class);
      return true;
    } catch (TrefoilException notByThisOne) {
      return false;
    }
  }
}
