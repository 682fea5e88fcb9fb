package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Reads of several mounts, from their kernels' memory, their own, and the state log, are those of
 * one file tree. {@code -Dleases.seed=N} runs one world again, {@code -Dleases.worlds=N} more of
 * them.
 */
class LeaseSimulationTest {
  private static final int WORLDS = Integer.getInteger("leases.worlds", 60);
  private static final int OPERATIONS = 4000;

  @Test
  void nobodySeesLessThanSomebodyHasSeen() {
    Long only = Long.getLong("leases.seed");
    long first = only == null ? System.nanoTime() : only;
    int reads = 0;
    int remembered = 0;
    for (long seed = first; seed < first + (only == null ? WORLDS : 1); seed++) {
      LeaseWorld world = new LeaseWorld(seed, LeaseWorld.Defect.NONE, 2 + (int) (seed & 1));
      try {
        world.run(OPERATIONS);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("-Dleases.seed=" + seed + ": " + e.getMessage(), e);
      }
      reads += world.reads;
      remembered += world.fromKernel + world.fromDaemon;
    }
    // Without that nothing would have been tried.
    assertThat(remembered).isGreaterThan(reads / 3);
    System.out.printf("%d reads, %d of them from memory%n", reads, remembered);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void defectsAreNoticed(LeaseWorld.Defect defect) {
    for (long seed = 1; seed <= 400; seed++) {
      try {
        new LeaseWorld(seed, defect, 3).run(OPERATIONS);
      } catch (LeaseWorld.Violation noticed) {
        return;
      }
    }
    throw new AssertionError(defect + " was not noticed in 400 worlds");
  }
}
