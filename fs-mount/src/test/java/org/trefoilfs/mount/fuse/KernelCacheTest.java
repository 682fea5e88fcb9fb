package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.testing.Shell;

/** What the kernel remembers of names and attributes: requests are counted. */
class KernelCacheTest extends TwoKernelMounts {
  private static final int FILES = 50;

  @BeforeEach
  void makeFiles() throws IOException {
    Files.createDirectory(a.resolve("d"));
    for (int i = 0; i < FILES; i++) {
      Files.writeString(a.resolve("d/f" + i), "content");
    }
  }

  private void look(Path at) {
    for (int i = 0; i < FILES; i++) {
      assertThat(Files.exists(at.resolve("d/f" + i))).isTrue();
      assertThat(Files.exists(at.resolve("d/no" + i))).isFalse();
    }
  }

  /** A lease lasts for a while only: of a few looks in a row, one is within it. */
  @Test
  void namesAndAttributesThatNobodyElseUsesCauseNoRequest() {
    await()
        .pollInterval(Duration.ofMillis(1))
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              look(a);
              Map<Operation, Long> before = calls();
              look(a);
              return calls().equals(before);
            });
  }

  @Test
  void nothingIsAskedOfTheStateLogWhileTheDaemonRemembers() {
    await()
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              int before = cluster.log.asked();
              look(a);
              // The orphans are looked after, too.
              return cluster.log.asked() - before <= 2;
            });
  }

  @Test
  void changesOfAnotherMountAreSeenAtOnceAndEachTime() throws Exception {
    for (int round = 0; round < 60; round++) {
      look(a);
      Path file = Path.of("d/f" + round % FILES);
      switch (round % 6) {
        case 0 -> {
          Shell.run(b, "chmod 604 " + file).succeeds();
          assertThat(Shell.run(a, "stat -c %a " + file).text()).isEqualTo("604");
        }
        case 1 -> {
          Files.writeString(b.resolve(file), "longer than before " + round);
          assertThat(a.resolve(file)).hasContent("longer than before " + round);
          assertThat(Files.size(a.resolve(file))).isEqualTo(Files.size(b.resolve(file)));
        }
        case 2 -> {
          Files.move(b.resolve(file), b.resolve("d/no1"));
          assertThat(a.resolve(file)).doesNotExist();
          assertThat(a.resolve("d/no1")).exists();
          Files.move(a.resolve("d/no1"), a.resolve(file));
          assertThat(b.resolve(file)).exists();
        }
        case 3 -> {
          Files.delete(b.resolve(file));
          assertThat(a.resolve(file)).doesNotExist();
          Files.writeString(b.resolve(file), "again");
          assertThat(a.resolve(file)).hasContent("again");
        }
        case 4 -> {
          Files.createLink(b.resolve("d/link"), b.resolve(file));
          assertThat(Shell.run(a, "stat -c %h " + file).text()).isEqualTo("2");
          Files.delete(a.resolve("d/link"));
          assertThat(Shell.run(b, "stat -c %h " + file).text()).isEqualTo("1");
        }
        default -> {
          Shell.run(b, "touch -d @1000000000 " + file).succeeds();
          assertThat(Shell.run(a, "stat -c %Y " + file).text()).isEqualTo("1000000000");
        }
      }
    }
  }
}
