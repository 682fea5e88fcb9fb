package org.trefoilfs.tools.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Directory;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.daemon.StartFailed;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountNote;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * Several hosts under one directory of one machine: {@code DIR/host1} and so on hold the data,
 * {@code DIR/mnt1} and so on are the mounts. What was stored is there again after the next start.
 */
public final class Demo {
  public static final String VOLUME = "demo";
  private static final int USUAL_REPLICAS = 3;
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(60);
  private static final Executor VIRTUAL = task -> Thread.ofVirtual().start(task);

  private final Path directory;
  private final Library library;
  private final DaemonProcess daemons;

  public Demo(Path directory, Library library, DaemonProcess daemons) {
    this.directory = directory;
    this.library = library;
    this.daemons = daemons;
  }

  /** Hosts of this demo that run now, by number. */
  public List<Integer> running() {
    List<Integer> running = new ArrayList<>();
    int hosts = DemoFile.load(directory).map(DemoFile::hosts).orElse(0);
    for (int host = 1; host <= hosts; host++) {
      if (file(host).filter(DaemonFile::isRunning).isPresent()) {
        running.add(host);
      }
    }
    return running;
  }

  public int hosts() {
    return DemoFile.load(directory).map(DemoFile::hosts).orElse(0);
  }

  /** Starts what does not run, creates the volume when it is new, and mounts it everywhere. */
  public void start(int wanted) {
    DemoFile plan = plan(wanted);
    checkPorts(plan);
    IntStream.rangeClosed(1, plan.hosts())
        .forEach(host -> MountPoints.detachDead(DemoFile.mountPoint(directory, host)));
    if (file(1).isEmpty()) {
      startHost(plan, 1);
    }
    // Members of an existing cluster must come up together: one alone has no majority.
    everywhere(plan.hosts(), host -> startHost(plan, host));
    createVolume(plan.hosts());
    everywhere(plan.hosts(), this::mount);
  }

  /** A host keeps its address for life, so another program on its port stops the demo. */
  private void checkPorts(DemoFile plan) {
    List<Integer> running = running();
    for (int host = 1; host <= plan.hosts(); host++) {
      int port = plan.ports().get(host - 1);
      if (!running.contains(host) && !Ports.isFree(port)) {
        throw new TrefoilException(
            Reason.BUSY,
            "demo in "
                + directory
                + ": port "
                + port
                + " of host"
                + host
                + " is taken, perhaps by another demo; stop what uses it (see: ss -ltnp), or start"
                + " another demo with --dir DIR");
      }
    }
  }

  private DemoFile plan(int wanted) {
    Optional<DemoFile> known = DemoFile.load(directory);
    if (known.isPresent()) {
      if (known.get().hosts() != wanted) {
        throw new TrefoilException(
            Reason.EXISTS,
            "demo in "
                + directory
                + ": it has "
                + known.get().hosts()
                + " hosts; start it with --hosts "
                + known.get().hosts()
                + ", or choose another --dir");
      }
      return known.get();
    }
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, directory + ": cannot be created (" + e + ")", e);
    }
    DemoFile plan = new DemoFile(Ports.free(wanted, HostOptions.DEFAULT_PORT));
    plan.store(directory);
    return plan;
  }

  private void startHost(DemoFile plan, int host) {
    Optional<DaemonFile> present = file(host);
    if (present.filter(DaemonFile::isRunning).isPresent()) {
      return;
    }
    HostConfig config =
        HostConfig.empty()
            .with(Key.DATA, DemoFile.data(directory, host).toString())
            .with(Key.NAME, "host" + host)
            .with(Key.LISTEN, address(plan, host));
    if (host == 1) {
      int port = Ports.free(1, Key.DEFAULT_HTTP_PORT).getFirst();
      config = config.with(Key.HTTP, new Address("127.0.0.1", port).toString());
    }
    daemons.detach(
        present.isPresent() || host == 1 ? config : config.with(Key.JOIN, address(plan, 1)));
  }

  private static String address(DemoFile plan, int host) {
    return "127.0.0.1:" + plan.ports().get(host - 1);
  }

  private void createVolume(int hosts) {
    try (AdminClient client = ask(1)) {
      client.ask(
          Verb.VOLUME_CREATE,
          new VolumeArgument(VOLUME, Math.min(USUAL_REPLICAS, hosts), CommitMode.SYNC),
          VolumeLine.class);
    } catch (TrefoilException e) {
      if (e.reason() != Reason.EXISTS) {
        throw e;
      }
    }
  }

  private void mount(int host) {
    Path mountPoint = DemoFile.mountPoint(directory, host);
    try (AdminClient client = ask(host)) {
      if (!MountPoints.isMounted(mountPoint)) {
        Files.createDirectories(mountPoint);
      }
      client.ask(
          Verb.MOUNT,
          new MountSpec(VOLUME, mountPoint.toString(), List.of(), FuseTransportKind.AUTO),
          Nothing.class);
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, mountPoint + ": cannot be created (" + e + ")", e);
    } catch (TrefoilException e) {
      // A host that was killed mounts again by itself.
      if (e.reason() != Reason.EXISTS && e.reason() != Reason.BUSY) {
        throw e;
      }
    }
  }

  /** Unmounts while the hosts can still write, then stops them all. */
  public void stop() {
    List<Integer> running = running();
    each(running, this::unmount);
    each(running, host -> daemons.stop(DemoFile.data(directory, host)));
    IntStream.rangeClosed(1, hosts()).forEach(this::takeOff);
  }

  /** What a host that was killed has left: nobody goes on with it. */
  private void takeOff(int host) {
    Path mountPoint = DemoFile.mountPoint(directory, host);
    MountNote.abandon(DemoFile.data(directory, host), mountPoint);
    MountPoints.detachDead(mountPoint);
  }

  private void unmount(int host) {
    try (AdminClient client = ask(host)) {
      Directory mountPoint = new Directory(DemoFile.mountPoint(directory, host).toString());
      client.ask(Verb.UNMOUNT, mountPoint, Nothing.class);
    } catch (TrefoilException stopsAnyhow) {
      // Stopping the host unmounts as well; this only does it while all hosts are up.
    }
  }

  private AdminClient ask(int host) {
    DaemonFile file = file(host).orElseThrow();
    return new AdminClient(library.connect(file.addresses().subList(0, 1), CONNECT), ANSWER);
  }

  Optional<DaemonFile> file(int host) {
    return DaemonFile.load(DemoFile.data(directory, host));
  }

  Path directory() {
    return directory;
  }

  private static void everywhere(int hosts, IntConsumer action) {
    each(IntStream.rangeClosed(1, hosts).boxed().toList(), action);
  }

  /** At all of these at once; fails with the first failure, after all have ended. */
  private static void each(List<Integer> hosts, IntConsumer action) {
    List<CompletableFuture<Void>> running =
        hosts.stream()
            .map(host -> CompletableFuture.runAsync(() -> action.accept(host), VIRTUAL))
            .toList();
    try {
      CompletableFuture.allOf(running.toArray(CompletableFuture<?>[]::new)).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof StartFailed failed) {
        throw failed;
      }
      throw TrefoilException.of(e);
    }
  }
}
