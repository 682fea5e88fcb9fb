package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.ClusterProcesses;

/** A tree copied into one mount is there, identical, at the others. */
final class TreeCopyTest {
  @TempDir Path directory;

  @AfterEach
  void removeSource() {
    Trees.remove(directory.resolve("source"));
  }

  @Test
  void treeCopiedIntoOneMountIsIdenticalAtAllMounts() throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    int files = Trees.real(source.resolve("real"), Sizes.chosen().treeFiles());
    assertThat(files).as("real files").isGreaterThan(Sizes.chosen().treeFiles() / 2);
    Trees.specials(source.resolve("specials"));
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, 3)) {
      cluster.createVolume("trees", 3);
      Path first = cluster.mount(1, "trees");
      Path second = cluster.mount(2, "trees");
      Path third = cluster.mount(3, "trees");

      Run copy = Trees.copy(source, first);
      Figures.say("cp -a of %d real files and the specials: %d ms", files, copy.took().toMillis());
      for (Path mount : List.of(second, third, first)) {
        Figures.say(
            "rsync --checksum against %s: no difference, %d ms",
            mount.getFileName(), Trees.assertEqual(source, mount.resolve("source")).toMillis());
      }
      Figures.say("fsck: %s", Checks.assertStoresEqual(cluster, directory, 3));
      long given = Trees.allocated(source);
      assertThat(cluster.fsck(1).bytes())
          .as("bytes stored of %d bytes allocated at the source: holes stay holes", given)
          .isLessThan(2 * given);
    }
  }
}
