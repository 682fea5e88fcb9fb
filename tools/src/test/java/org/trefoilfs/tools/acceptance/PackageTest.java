package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.demo.Ports;

/**
 * The Debian package, built, installed in a fresh Debian 12 without Java, used and removed. It
 * takes minutes and Debian's archive, so only when it is asked for: {@code
 * TREFOIL_ACCEPTANCE=full}, as root, with debootstrap.
 */
@EnabledIfEnvironmentVariable(named = "TREFOIL_ACCEPTANCE", matches = "full")
final class PackageTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  /** Debian's archive as this machine has it. */
  private static final String ROOT =
      """
      mirror="$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list* | head -1)"
      debootstrap --variant=minbase bookworm "$1" "${mirror:-http://deb.debian.org/debian}"
      """;

  @TempDir Path directory;

  @Test
  void aFreshDebianInstallsUsesAndRemovesThePackageAndKeepsItsData() throws Exception {
    Run built = Run.in(CHECKOUT, "tools/package").succeeded();
    Figures.say("package: %s", built.output().strip());
    String last = built.output().strip().lines().reduce((first, second) -> second).orElseThrow();
    String deb = last.substring(last.lastIndexOf('\t') + 1);
    assertThat(Path.of(deb)).exists();

    Path root = directory.resolve("root");
    Run.script(directory, ROOT, root.toString()).succeeded();
    Path script = directory.resolve("package.sh");
    try (var resource = getClass().getResourceAsStream("/acceptance/package.sh")) {
      Files.copy(resource, script);
    }
    String port = Ports.free(1, 23_000).getFirst().toString();
    Run used =
        Run.in(
            directory,
            Run.LONGEST,
            List.of("unshare", "-m", "bash", script.toString(), deb, root.toString(), port));
    assertThat(used.succeeded().output()).contains("== done");
  }
}
