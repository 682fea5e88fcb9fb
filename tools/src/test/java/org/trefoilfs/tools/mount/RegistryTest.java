package org.trefoilfs.tools.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.tools.admin.Json;

class RegistryTest {
  @TempDir Path directory;

  @Test
  void daemonsThatDiedAreNotFound() throws Exception {
    Registry registry = Registry.ofMachine(Map.of("TREFOIL_RUN", directory + "/run"));
    assertThat(registry.daemons()).isEmpty();
    Process child = new ProcessBuilder("cat").start();
    Registry.Daemon daemon =
        new Registry.Daemon(ProcessId.of(child.pid()), Here.current(), "c", "127.0.0.1:1");
    registry.add(daemon);
    assertThat(registry.daemons()).containsExactly(daemon);
    child.destroyForcibly().waitFor();
    assertThat(registry.daemons()).isEmpty();
  }

  /**
   * A daemon that ends while another process looks is no error: its file was there a moment ago.
   */
  @Test
  void daemonsThatEndWhileTheyAreListedDoNotFailTheList() throws Exception {
    Registry registry = new Registry(directory);
    Registry.Daemon lasting =
        new Registry.Daemon(ProcessId.current(), Here.current(), "c", "127.0.0.1:1");
    registry.add(lasting);
    AtomicBoolean over = new AtomicBoolean();
    Path brief = directory.resolve("daemon-0.json");
    Thread others =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!over.get()) {
                    Json.store(brief, new Registry.Daemon(ProcessId.NONE, lasting.here(), "c", ""));
                    registry.removeDaemon(ProcessId.NONE);
                  }
                });
    try {
      for (int look = 0; look < 5_000; look++) {
        assertThat(registry.daemons()).containsExactly(lasting);
      }
    } finally {
      over.set(true);
      others.join();
    }
  }

  @Test
  void mountIsKnownUntilItIsRemoved() {
    Registry registry = new Registry(directory);
    Path point = Path.of("/mnt/with space/ü");
    Registry.Mount mount =
        new Registry.Mount(ProcessId.current(), point.toString(), "work", "", "");
    registry.add(mount);
    assertThat(registry.mountAt(point)).contains(mount);
    assertThat(registry.mountAt(Path.of("/mnt"))).isEmpty();
    registry.removeMount(point);
    assertThat(registry.mountAt(point)).isEmpty();
  }

  @Test
  void processIsToldFromALaterOneWithItsNumber() {
    ProcessId self = ProcessId.current();
    assertThat(self.lives()).isTrue();
    assertThat(new ProcessId(self.pid(), self.started() - 1).lives()).isFalse();
    assertThat(ProcessId.NONE.lives()).isFalse();
  }
}
