package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.tools.admin.AdminEndpoint;
import org.trefoilfs.tools.admin.DaemonService;
import org.trefoilfs.tools.admin.Messages.Mounts;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.docker.PluginServer;
import org.trefoilfs.tools.docker.VolumeDriver;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.mount.Registry;
import org.trefoilfs.tools.observe.ObservationServer;
import org.trefoilfs.tools.status.StatusBuilder;
import tools.jackson.databind.JsonNode;

/**
 * One host as a process: takes the directory, starts the host, says so in {@code daemon.json},
 * keeps the mounts, and lets go of everything in the opposite order.
 */
public final class Daemon implements AutoCloseable {
  /** How often the addresses to ask when this host is down are brought up to date. */
  private static final int PEERS_SECONDS = 5;

  /** Less than the minute that an engine waits for most answers. */
  private static final Duration ENGINE_PATIENCE = Duration.ofSeconds(40);

  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

  private final Path data;
  private final Registry registry;
  private final DataLock lock;
  private final CountDownLatch stopRequested = new CountDownLatch(1);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ScheduledExecutorService housekeeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("housekeeping").unstarted(task));
  private @Nullable PluginServer docker;
  private @Nullable ObservationServer http;
  private volatile @Nullable Running running;
  private volatile Mounts atStop = Mounts.UNMOUNTED;

  /**
   * @param volumes of containers, if an engine is served
   */
  private record Running(
      RunningHost host, KeptMounts mounts, DaemonService verbs, Optional<VolumeDriver> volumes) {
    boolean isUsedByContainers(Path directory) {
      return volumes.filter(driver -> driver.isUsed(directory)).isPresent();
    }
  }

  private Daemon(Path data, Registry registry, DataLock lock) {
    this.data = data;
    this.registry = registry;
    this.lock = lock;
  }

  /** Returns when the host serves. EXISTS when its directory is in use. */
  public static Daemon start(Library library, HostConfig config, Registry registry) {
    Path data = config.data();
    String purpose =
        "trefoil host" + config.get(Key.NAME).map(name -> " '" + name + "'").orElse("");
    Daemon daemon = new Daemon(data, registry, DataLock.take(data, purpose));
    try {
      daemon.serve(library, config);
      return daemon;
    } catch (RuntimeException e) {
      daemon.close();
      throw e;
    }
  }

  private void serve(Library library, HostConfig config) {
    http = config.http().map(ObservationServer::start).orElse(null);
    docker =
        config
            .dockerSocket()
            .map(socket -> PluginServer.start(data, socket, ENGINE_PATIENCE))
            .orElse(null);
    RunningHost host = library.start(config.toOptions(), new AdminEndpoint(this::handle));
    KeptMounts mounts = new KeptMounts(data, host.identity().name(), new Mounting(host));
    Optional<VolumeDriver> volumes = volumesOfContainers(host, mounts, config);
    HostVerbs verbs = new HostVerbs(host, data, mounts, this::requestStop);
    running = new Running(host, mounts, verbs, volumes);
    RunningHost.Identity identity = host.identity();
    registry.add(
        new Registry.Daemon(
            ProcessId.current(),
            Here.current(),
            identity.clusterId(),
            identity.address().toString()));
    mounts.restore();
    if (docker != null && volumes.isPresent()) {
      docker.serve(volumes.get());
    }
    if (http != null) {
      http.serve(verbs.observer());
    }
    file(host, config).store(data);
    LOG.info("host {} serves at {}", identity.name(), identity.address());
    var unused =
        housekeeping.scheduleWithFixedDelay(
            () -> refreshPeers(host), 1, PEERS_SECONDS, TimeUnit.SECONDS);
  }

  private Optional<VolumeDriver> volumesOfContainers(
      RunningHost host, KeptMounts mounts, HostConfig config) {
    if (docker == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          docker.prepare(
              new DockerHost(host, mounts),
              config.dockerMounts(),
              KeptMounts.remembered(data),
              directory -> KeptMounts.forget(data, directory)));
    } catch (RuntimeException e) {
      host.close();
      throw e;
    }
  }

  private void requestStop(Mounts mounts) {
    atStop = mounts;
    stopRequested.countDown();
  }

  private JsonNode handle(Verb verb, JsonNode argument) {
    Running now = running;
    if (now == null) {
      throw new TrefoilException(
          Reason.UNAVAILABLE, data + ": this host is starting or stopping; try again in a moment");
    }
    return now.verbs().handle(verb, argument);
  }

  private static DaemonFile file(RunningHost host, HostConfig config) {
    RunningHost.Identity identity = host.identity();
    Map<String, String> options = new TreeMap<>();
    HostConfig kept =
        config
            .without(Key.DATA)
            .without(Key.JOIN)
            .with(Key.NAME, identity.name())
            .with(Key.LISTEN, identity.address().toString());
    kept.values().forEach((key, value) -> options.put(key.text(), value));
    return new DaemonFile(
        ProcessId.current(), identity.clusterId(), identity.name(), peers(host), options);
  }

  private static List<String> peers(RunningHost host) {
    String own = host.identity().address().toString();
    List<String> peers = new ArrayList<>(List.of(own));
    for (HostInfo other : host.snapshot().hosts()) {
      if (!other.address().toString().equals(own)) {
        peers.add(other.address().toString());
      }
    }
    return peers;
  }

  private void refreshPeers(RunningHost host) {
    try {
      DaemonFile present = DaemonFile.load(data).orElseThrow();
      List<String> peers = peers(host);
      if (!peers.equals(present.peers()) && !closed.get()) {
        present.withPeers(peers).store(data);
      }
    } catch (RuntimeException e) {
      LOG.warn("the addresses of the other hosts could not be noted", e);
    }
  }

  public RunningHost.Identity identity() {
    Running now = running;
    if (now == null) {
      throw new IllegalStateException("not running");
    }
    return now.host().identity();
  }

  /** What so small a cluster does not survive, in sentences. */
  public List<String> warnings() {
    Running now = running;
    return now == null ? List.of() : StatusBuilder.survival(now.host().snapshot());
  }

  /** Shows signs of life to a service manager that wants them. */
  public void watchedBy(ServiceManager manager) {
    manager
        .watchdog()
        .ifPresent(
            silence -> {
              // Twice in the time, as sd_watchdog_enabled(3) advises.
              long period = silence.toMillis() / 2;
              var unused =
                  housekeeping.scheduleAtFixedRate(
                      manager::alive, 0, Math.max(1, period), TimeUnit.MILLISECONDS);
            });
  }

  /** Waits until the verb {@code stop} arrives. */
  public void awaitStop() throws InterruptedException {
    stopRequested.await();
  }

  /**
   * Unmounts, unless the mounts are to be kept, stops the host and frees the directory. Idempotent.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    housekeeping.shutdownNow();
    if (docker != null) {
      docker.close();
    }
    if (http != null) {
      http.close();
    }
    Running now = running;
    if (now != null) {
      switch (atStop) {
        case UNMOUNTED -> now.mounts().close(now::isUsedByContainers);
        case KEPT -> now.mounts().leave();
      }
      running = null;
      now.host().close();
      registry.removeDaemon(ProcessId.current());
      DaemonFile.load(data).ifPresent(file -> file.stopped().store(data));
      LOG.info("host {} has stopped", now.host().identity().name());
    }
    lock.close();
  }

  /** Mounts on this host, and registers each mount as this process's. */
  private final class Mounting implements KeptMounts.Mounter {
    private final RunningHost host;

    Mounting(RunningHost host) {
      this.host = host;
    }

    @Override
    public MountHandle mount(MountSpec spec) {
      return registered(spec, host.mount(Volumes.find(host, spec.volume()), spec));
    }

    @Override
    public Optional<MountHandle> resume(MountSpec spec) {
      return host.resume(Volumes.find(host, spec.volume()), spec)
          .map(handle -> registered(spec, handle));
    }

    private MountHandle registered(MountSpec spec, MountHandle handle) {
      registry.add(
          new Registry.Mount(
              ProcessId.current(),
              spec.directory(),
              spec.volume(),
              host.identity().address().toString(),
              data.toString()));
      return handle;
    }

    @Override
    public void forgotten(Path directory) {
      registry.removeMount(directory);
    }
  }
}
