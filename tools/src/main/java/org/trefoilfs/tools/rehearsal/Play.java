package org.trefoilfs.tools.rehearsal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.Daemon;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.daemon.Logging;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.TrefoilLibrary;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.mount.Registry;

/**
 * Three daemons of this process hold a volume; files are written, read and removed through each
 * transport that may mount here, and one daemon stops, misses something and comes back. The first
 * serves on a mount that an earlier process has left, if one has.
 */
final class Play {
  private static final int HOSTS = 3;

  /** Away from those of a demo or a host. */
  static final int FIRST_PORT = 27_440;

  private static final int FILES = 200;
  private static final int MEGABYTES = 48;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String VOLUME = "rehearsal";

  private final Path root;
  private final Library library = new TrefoilLibrary();
  private final Registry registry;
  private final List<Integer> ports = Ports.free(HOSTS, FIRST_PORT);
  private final List<Daemon> daemons = new ArrayList<>();

  Play(Path root) {
    this.root = root;
    this.registry = new Registry(root.resolve("run"));
  }

  void run() throws IOException {
    Logging.forDaemon(Files.createDirectories(root.resolve("log")), Logging.Format.TEXT, false);
    try {
      for (int host = 0; host < HOSTS; host++) {
        daemons.add(Daemon.start(library, config(host), registry));
      }
      goOn();
      ask(
          Verb.VOLUME_CREATE,
          new Messages.VolumeArgument(VOLUME, HOSTS, CommitMode.SYNC),
          Messages.VolumeLine.class);
      use(FuseTransportKind.KERNEL);
      use(FuseTransportKind.LIBFUSE);
    } finally {
      daemons.reversed().forEach(Daemon::close);
      Logging.forCommand(false);
    }
  }

  private HostConfig config(int host) {
    HostConfig config = config(root, host, address(host));
    return host == 0 ? config : config.with(Key.JOIN, address(0).toString());
  }

  static HostConfig config(Path root, int host, Address listen) {
    return HostConfig.empty()
        .with(Key.DATA, root.resolve("host" + host).toString())
        .with(Key.NAME, "host" + host)
        .with(Key.LISTEN, listen.toString());
  }

  private Address address(int host) {
    return new Address("127.0.0.1", ports.get(host));
  }

  private <T> T ask(Verb verb, Object argument, Class<T> answer) {
    try (AdminClient client =
        new AdminClient(library.connect(List.of(address(0)), PATIENCE), PATIENCE)) {
      return client.ask(verb, argument, answer);
    }
  }

  private void use(FuseTransportKind transport) throws IOException {
    Path mount = Files.createDirectories(root.resolve("mount-" + transport));
    try {
      ask(
          Verb.MOUNT,
          new MountSpec(VOLUME, mount.toString(), List.of(), transport),
          Messages.Nothing.class);
    } catch (TrefoilException e) {
      System.err.println("not rehearsed: --transport " + transport + ": " + e.getMessage());
      return;
    }
    try {
      makeFiles(mount);
      int last = HOSTS - 1;
      daemons.remove(last).close();
      readFiles(mount);
      bigFile(mount.resolve("big"));
      daemons.add(Daemon.start(library, config(last), registry));
      removeFiles(mount);
    } finally {
      ask(Verb.UNMOUNT, new Messages.Directory(mount.toString()), Messages.Nothing.class);
    }
  }

  /** Uses the mount that was left, and takes it off. */
  private void goOn() throws IOException {
    Path left = LeftMount.in(root);
    if (Files.isDirectory(left)) {
      makeFiles(left);
      removeFiles(left);
      ask(Verb.UNMOUNT, new Messages.Directory(left.toString()), Messages.Nothing.class);
    }
  }

  private static void makeFiles(Path directory) throws IOException {
    for (int i = 0; i < FILES; i++) {
      Files.writeString(directory.resolve("file" + i), "rehearsal " + i);
    }
  }

  private static void readFiles(Path directory) throws IOException {
    for (int i = 0; i < FILES; i++) {
      Files.readString(directory.resolve("file" + i));
      Files.move(directory.resolve("file" + i), directory.resolve("moved" + i));
    }
  }

  private static void bigFile(Path file) throws IOException {
    ByteBuffer megabyte = ByteBuffer.allocateDirect(1 << 20);
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      for (int i = 0; i < MEGABYTES; i++) {
        channel.write(megabyte.clear());
      }
      channel.force(true);
      channel.position(0);
      while (channel.read(megabyte.clear()) > 0) {
        // Once through.
      }
      for (int i = 0; i < FILES; i++) {
        channel.write(megabyte.clear().limit(4096), (long) i * 8192);
        channel.force(false);
      }
    }
  }

  private static void removeFiles(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }
}
