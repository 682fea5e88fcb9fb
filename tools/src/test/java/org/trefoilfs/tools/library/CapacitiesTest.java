package org.trefoilfs.tools.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.tools.library.Capacities.Disk;

/**
 * What df(1) shows: bytes that can be written, each of which is stored as often as there are
 * replicas.
 */
class CapacitiesTest {
  @Test
  void threeReplicasOnThreeHostsHaveTheRoomOfOne() {
    assertThat(of(3, new Disk(1000, 400, 1), new Disk(1000, 400, 1), new Disk(1000, 400, 1)))
        .isEqualTo("1000 400");
  }

  @Test
  void fewerReplicasHaveTheMoreRoom() {
    Disk disk = new Disk(1000, 400, 1);
    assertThat(of(1, disk, disk, disk)).isEqualTo("3000 1200");
    assertThat(of(2, disk, disk, disk)).isEqualTo("1500 600");
    assertThat(of(3, disk, disk, disk, disk, disk, disk)).isEqualTo("2000 800");
  }

  @Test
  void theFirstHostToBeFullEndsIt() {
    assertThat(of(2, new Disk(900, 30, 1), new Disk(3000, 2900, 1), new Disk(3000, 2900, 1)))
        .isEqualTo("1350 45");
    assertThat(of(3, new Disk(900, 0, 1), new Disk(900, 800, 1), new Disk(900, 800, 1)))
        .isEqualTo("900 0");
  }

  @Test
  void weightsDecideWhoIsFullFirst() {
    assertThat(of(1, new Disk(1000, 1000, 1), new Disk(3000, 3000, 3))).isEqualTo("4000 4000");
    assertThat(of(2, new Disk(1000, 1000, 1), new Disk(3000, 3000, 3))).isEqualTo("1000 1000");
  }

  @Test
  void whereNoHostHasSaidAnythingThereIsNoRoom() {
    assertThat(of(3)).isEqualTo("0 0");
  }

  private static String of(int replicas, Disk... disks) {
    Capacity capacity = Capacities.of(List.of(disks), replicas);
    return capacity.totalBytes() + " " + capacity.freeBytes();
  }
}
