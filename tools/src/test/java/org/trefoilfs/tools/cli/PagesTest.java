package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.ProcessRun;

/** Manual pages and completion, as a package brings them. */
final class PagesTest {
  @TempDir Path directory;

  @Test
  void eachCommandHasAPageAndCompletionKnowsThem() throws Exception {
    Path completion = directory.resolve("completion");
    Pages.main(new String[] {directory.toString(), completion.toString()});

    String start = Files.readString(directory.resolve("trefoil-host-start.1"));
    assertThat(start)
        .startsWith(".TH TREFOIL-HOST-START 1 ")
        .contains(".SH NAME\ntrefoil\\-host\\-start \\- Starts a host: ")
        .contains(".SH SYNOPSIS\n", ".SH DESCRIPTION\n", ".SH OPTIONS\n", ".SH EXIT STATUS\n")
        .contains("\\-\\-failure\\-detection");
    assertThat(directory.resolve("trefoil.1")).content().contains(".SH COMMANDS\n");
    assertThat(directory.resolve("trefoil-mount.1")).exists();
    for (String line : start.lines().toList()) {
      assertThat(line).as("a request that there is").matches("[^.'].*|\\.(TH|SH|nf|fi).*|");
    }

    assertThat(ProcessRun.of("bash", "-n", completion.toString())).isEqualTo(new ProcessRun(0, ""));
    assertThat(completion).content().contains("--catch-up-rate", "complete -F");
  }
}
