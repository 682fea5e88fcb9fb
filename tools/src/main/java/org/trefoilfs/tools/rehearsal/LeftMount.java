package org.trefoilfs.tools.rehearsal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.TrefoilLibrary;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * A mount that the first host of a rehearsal finds, as a restarted daemon finds those that it
 * serves on. Another process makes it: one that still lives would go on reading its requests.
 */
final class LeftMount {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VOLUME = "left";

  private LeftMount() {}

  static Path in(Path root) {
    return root.resolve("left");
  }

  /** Without privileges there is none, which a rehearsal does without. */
  static void make(Path root, Address address) throws IOException {
    Library library = new TrefoilLibrary();
    DaemonProcess daemons = new DaemonProcess(library, new Jvm(Trefoil.class.getName()));
    HostConfig config = Play.config(root, 0, address);
    daemons.detach(config);
    try (AdminClient client =
        new AdminClient(library.connect(List.of(address), PATIENCE), PATIENCE)) {
      client.ask(
          Verb.VOLUME_CREATE,
          new Messages.VolumeArgument(VOLUME, 1, CommitMode.SYNC),
          Messages.VolumeLine.class);
      String mount = Files.createDirectory(in(root)).toString();
      client.ask(
          Verb.MOUNT,
          new MountSpec(VOLUME, mount, List.of(), FuseTransportKind.KERNEL),
          Messages.Nothing.class);
    } catch (TrefoilException e) {
      System.err.println("not rehearsed: a mount that is served on: " + e.getMessage());
      Files.deleteIfExists(in(root));
    } finally {
      daemons.stop(config.data(), Messages.Mounts.KEPT);
    }
  }
}
