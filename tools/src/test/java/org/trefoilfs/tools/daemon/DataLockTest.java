package org.trefoilfs.tools.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

class DataLockTest {
  @TempDir Path directory;

  @Test
  void heldDirectoryIsNotGivenTwiceAndIsFreeAfterwards() throws Exception {
    Path data = directory.resolve("new/host");
    try (DataLock lock = DataLock.take(data, "first")) {
      assertThat(Files.readString(data.resolve("lock")))
          .isEqualTo("process " + ProcessHandle.current().pid() + " (first)\n");
      assertThatThrownBy(() -> DataLock.take(data, "second"))
          .isInstanceOfSatisfying(
              TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.EXISTS));
    }
    DataLock.take(data, "third").close();
  }

  @Test
  void placeThatIsNoDirectoryIsNamed() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> DataLock.take(file, "x")).hasMessageContaining(file.toString());
  }
}
