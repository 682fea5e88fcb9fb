package org.trefoilfs.tools.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    assertThat(self.isAlive()).isTrue();
    assertThat(new ProcessId(self.pid(), self.started() - 1).isAlive()).isFalse();
    assertThat(ProcessId.NONE.isAlive()).isFalse();
  }
}
