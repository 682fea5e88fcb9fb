package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.replication.Reason;

class ErrnoTest {
  @Test
  void numbersAreThoseOfThisKernelsHeaders(@TempDir Path dir) throws Exception {
    String names =
        Arrays.stream(Errno.class.getFields())
            .map(f -> f.getName())
            .collect(Collectors.joining(","));
    String script =
        "python3 -c \"import errno; print(*[getattr(errno, n) for n in '%s'.split(',')])\"";
    String[] numbers = Shell.run(dir, script.formatted(names)).succeeds().text().split(" ");
    String[] fields = names.split(",");
    for (int i = 0; i < fields.length; i++) {
      assertThat(Errno.class.getField(fields[i]).getInt(null))
          .as(fields[i])
          .isEqualTo(Integer.parseInt(numbers[i]));
    }
    assertThat(names.getBytes(StandardCharsets.US_ASCII)).isNotEmpty();
  }

  @Test
  void everyReasonHasAnErrno() {
    for (Reason reason : Reason.values()) {
      assertThat(Errno.of(reason)).as(reason.name()).isPositive();
    }
    assertThat(Errno.of(Reason.OUTCOME_UNKNOWN)).isEqualTo(Errno.EIO);
    assertThat(Errno.of(Reason.NO_SPACE)).isEqualTo(Errno.ENOSPC);
  }
}
