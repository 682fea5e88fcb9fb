package org.trefoilfs.tools.docker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.Prerequisites;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.http.UnixHttpServer;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * The plugin in a daemon. Its socket is there from the daemon's first moment on: a request that
 * comes before the host serves waits for it, and fails when that takes too long. An engine that
 * found no plugin would make a local volume of the name, which stays empty.
 */
public final class PluginServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PluginServer.class);

  private final Path data;
  private final Duration patience;
  private final CompletableFuture<VolumeDriver> driver = new CompletableFuture<>();
  private final UnixHttpServer server;

  private PluginServer(Path data, Path socket, Duration patience) {
    this.data = data;
    this.patience = patience;
    this.server = UnixHttpServer.start(socket, new VolumePlugin(this::driver));
    LOG.info("Docker engines reach this host at {}", socket);
  }

  /**
   * @param data the host's directory
   * @param patience how long a request waits for {@link #serve}: less than the minute that an
   *     engine waits for an answer
   */
  public static PluginServer start(Path data, Path socket, Duration patience) {
    if (!Prerequisites.isRoot()) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          "docker-socket: root alone mounts for containers; run as root, or say --docker-socket none");
    }
    return new PluginServer(data, socket, patience);
  }

  /**
   * The host serves, and its mounts are not restored yet.
   *
   * @param mountRoot where volumes are mounted for containers
   * @param remembered the mounts to restore
   * @param forget takes one of them off the list, and ends what keeps it
   */
  public VolumeDriver prepare(
      PluginHost host, Path mountRoot, List<MountSpec> remembered, Consumer<Path> forget) {
    MountRoot root = new MountRoot(mountRoot);
    root.open();
    References references = References.load(data);
    new Leftovers(references, root).remove(remembered, forget);
    return new VolumeDriver(host, references, root);
  }

  /** From here on requests are answered. */
  public void serve(VolumeDriver prepared) {
    driver.complete(prepared);
  }

  private VolumeDriver driver() {
    try {
      return driver.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "the host of %s is still starting: it needs a majority of the hosts; see %s, start the others, and try again"
              .formatted(data, data.resolve("daemon.log")),
          e);
    } catch (ExecutionException e) {
      throw new TrefoilException(
          Reason.UNAVAILABLE, "the host of " + data + " stops; start it again", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.UNAVAILABLE, "interrupted", e);
    }
  }

  /** Requests are not taken any more. */
  @Override
  public void close() {
    server.close();
    driver.completeExceptionally(new IllegalStateException("stopped"));
  }
}
