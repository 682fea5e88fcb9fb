package org.trefoilfs.mount.namespace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.SESSION;
import static org.trefoilfs.mount.namespace.NamespaceFixture.VOLUME;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;

/** How files without names go: orphans, pins, reclaiming, reaping. */
class ReclaimerTest {
  private final NamespaceFixture fs = new NamespaceFixture();
  private final RecordingVolume deletions = new RecordingVolume();
  private long cursor = Long.MAX_VALUE;
  private final Reclaimer reclaimer =
      new Reclaimer(fs.log, () -> cursor, volume -> volume == VOLUME ? deletions : null);

  @Test
  void orphanGoesWithItsChunksRowsAndUsage() {
    String before = fs.dump();
    long file = written("a", 5_000);
    fs.names.setXattr(fs.at("a"), "user.x".getBytes(UTF_8), new byte[1], Names.XattrMode.CREATE);
    fs.names.unlink(fs.at("a")).join();
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
    assertThat(deletions.done).containsExactly(Map.entry(file, 5_000L));
    assertThat(reasonOf(fs.names.lookup(Location.of(file)))).isEqualTo(Reason.NOT_FOUND);
    assertThat(fs.names.usage().join()).isEqualTo(new Names.Usage(1, 0));
    assertThat(inodeAndXattrRows(fs.dump())).isEqualTo(inodeAndXattrRows(before));
    assertThat(reclaimer.runOnce().join()).isZero();
  }

  @Test
  void chunksAreDeletedUpToTheLargestSizeThatTheFileHad() {
    long file = written("a", 10 << 20);
    fs.names.setAttributes(fs.at("a"), AttributeChange.size(0)).join();
    fs.names.unlink(fs.at("a")).join();
    reclaimer.runOnce().join();
    assertThat(deletions.done).containsEntry(file, 10L << 20);
  }

  @Test
  void pinnedOrphanStaysUntilItIsUnpinned() {
    long file = written("a", 1);
    fs.names.unlink(fs.at("a")).join();
    fs.names.pin(Set.of(file)).join();
    assertThat(reclaimer.runOnce().join()).isZero();
    assertThat(deletions.done).as("its holder still reads it").isEmpty();
    fs.names.unpin(Set.of(file)).join();
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
  }

  @Test
  void pinsOfASessionGoWithIt() {
    StateLogNames other = StateLogNames.open(fs.log, VOLUME, 42, fs).join();
    long file = written("a", 1);
    fs.names.pin(Set.of(file)).join();
    other.pin(Set.of(file)).join();
    fs.names.unlink(fs.at("a")).join();
    fs.submit(new Command.DropPins(SESSION));
    assertThat(reclaimer.runOnce().join()).as("the other session holds it").isZero();
    assertThat(deletions.done).isEmpty();
    fs.submit(new Command.DropPins(42));
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
  }

  @Test
  void orphanBeyondTheCursorOfASessionStays() {
    written("a", 1);
    fs.names.unlink(fs.at("a")).join();
    Names.Orphans seen = fs.names.orphansAfter(0).join();
    written("b", 1);
    fs.names.unlink(fs.at("b")).join();
    cursor = seen.cursor();
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
    assertThat(reclaimer.runOnce().join()).isZero();
    assertThat(deletions.done).hasSize(1);
    cursor = fs.names.orphansAfter(cursor).join().cursor();
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
  }

  @Test
  void cursorMovesOnThoughOrphansAreGone() {
    written("a", 1);
    fs.names.unlink(fs.at("a")).join();
    reclaimer.runOnce().join();
    Names.Orphans orphans = fs.names.orphansAfter(0).join();
    assertThat(orphans.inodes()).isEmpty();
    assertThat(orphans.cursor()).isEqualTo(1);
  }

  @Test
  void orphansOfOtherVolumesAreNotShown() {
    StateLogNames other = StateLogNames.open(fs.log, 8, 42, fs).join();
    written("a", 1);
    fs.names.unlink(fs.at("a")).join();
    assertThat(other.orphansAfter(0).join()).isEqualTo(new Names.Orphans(Set.of(), 1));
  }

  @Test
  void orphanWhoseChunksCannotGoHoldsUpNoOther() {
    long stuck = written("0", 1);
    fs.names.unlink(fs.at("0")).join();
    deletions.failing.add(stuck);
    for (int i = 1; i <= Reclaimer.BATCH; i++) {
      written(Integer.toString(i), 1);
      fs.names.unlink(fs.at(Integer.toString(i))).join();
    }
    assertThat(reclaimer.runOnce().join()).isEqualTo(Reclaimer.BATCH - 1);
    assertThat(reclaimer.runOnce().join()).isEqualTo(1);
    deletions.failing.clear();
    assertThat(reclaimer.runOnce().join() + reclaimer.runOnce().join()).isEqualTo(1);
  }

  @Test
  void reclaimOfWhatIsNoOrphanChangesNothing() {
    written("a", 1);
    String before = fs.dump();
    assertThat(fs.submit(new Command.Reclaim(java.util.List.of(1L, 99L, -5L))))
        .isEqualTo(new Reply.Reclaimed(0));
    assertThat(fs.dump()).isEqualTo(before);
  }

  @Test
  void deletedVolumeIsTakenApartStepByStep() {
    fs.directory("d");
    for (int i = 0; i < 1_000; i++) {
      written("d/" + i, 10);
    }
    fs.symlink("s", "d");
    fs.names.pin(Set.of(fs.lookup("s").inode())).join();
    int steps = 0;
    while (!reclaimer.reap(VOLUME).join()) {
      reclaimer.runOnce().join();
      assertThat(steps++).isLessThan(100);
    }
    assertThat(steps).as("bounded steps").isGreaterThan(5);
    assertThat(deletions.done).hasSize(1_000);
    assertThat(inodeAndXattrRows(fs.dump())).isEmpty();
    assertThat(reclaimer.reap(VOLUME).join()).isTrue();
  }

  @Test
  void deletedVolumeTakesNoOperationsAndNeverComesBack() {
    fs.file("a");
    reclaimer.reap(VOLUME).join();
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    assertThat(reasonOf(fs.names.create(fs.at("b"), file))).isEqualTo(Reason.STALE);
    assertThat(reasonOf(StateLogNames.open(fs.log, VOLUME, 50, fs))).isEqualTo(Reason.STALE);
  }

  @Test
  void volumeThatWasNeverOpenedIsGoneAtOnce() {
    assertThat(reclaimer.reap(12).join()).isTrue();
    assertThat(reasonOf(StateLogNames.open(fs.log, 12, 50, fs))).isEqualTo(Reason.STALE);
  }

  private long written(String path, long size) {
    long inode = fs.file(path).inode();
    return fs.names.wrote(inode, 0, size, fs.now, Names.Privileges.KEEP).join().inode();
  }

  /** Rows of inodes, dentries, attributes, orphans and pins, but for the root's. */
  private String inodeAndXattrRows(String dump) {
    String root = java.util.HexFormat.of().formatHex(Keys.inode(VOLUME, fs.root));
    return dump.lines()
        .filter(
            line ->
                Set.of("69", "64", "78", "70", "6f", "73").contains(line.substring(0, 2))
                    && !line.startsWith(root))
        .collect(java.util.stream.Collectors.joining("\n"));
  }
}
