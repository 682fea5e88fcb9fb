package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.ProcessRun;

/** mount(8)'s helper, around a command that notes its arguments and ends as it is told. */
@Timeout(60)
final class MountHelperTest {
  private static final Path HELPER =
      Path.of("../packaging/src/main/deb/mount.trefoil").toAbsolutePath().normalize();

  @TempDir Path directory;
  private Path arguments;
  private Path command;

  @BeforeEach
  void prepare() throws IOException {
    arguments = directory.resolve("arguments");
    command = ends("exit 0");
  }

  private Path ends(String how) throws IOException {
    Path script = directory.resolve("trefoil");
    Files.writeString(script, "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " + arguments + "\n" + how);
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return script;
  }

  private ProcessRun mount(String... given) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "env",
                "TREFOIL_COMMAND=" + command,
                "TREFOIL_MOUNT_PATIENCE=2",
                HELPER.toString()));
    all.addAll(List.of(given));
    return ProcessRun.of(all.toArray(String[]::new));
  }

  private void succeeds(String... given) {
    assertThat(mount(given)).isEqualTo(new ProcessRun(0, ""));
  }

  private List<String> calls() throws IOException {
    return Files.exists(arguments) ? Files.readAllLines(arguments) : List.of();
  }

  @Test
  void aVolumeOfThisMachinesClusterIsMountedByItsName() throws Exception {
    succeeds("work", "/mnt/work");
    succeeds(":/work", "/mnt/work", "-o", "rw");
    assertThat(calls()).containsExactly("mount work /mnt/work", "mount work /mnt/work -o rw");
  }

  @Test
  void hostsInTheSourceAreAskedAndWhatIsMeantForOthersIsLeftOut() throws Exception {
    succeeds(
        "10.0.0.1:7440,10.0.0.2:/work",
        "/mnt/work",
        "-n",
        "-o",
        "rw,_netdev,nofail,x-systemd.automount,user,acl,transport=kernel,orphan_timeout=60");
    assertThat(calls())
        .containsExactly(
            "--cluster 10.0.0.1:7440,10.0.0.2 mount work /mnt/work"
                + " -o rw,_netdev,nofail,acl,orphan_timeout=60 --transport kernel");
  }

  @Test
  void aFakeMountDoesNothing() throws Exception {
    succeeds("work", "/mnt/work", "-f");
    assertThat(calls()).isEmpty();
  }

  @Test
  void mistakesAreSaidWithTheStatusesOfMount() throws Exception {
    ProcessRun noVolume = mount("10.0.0.1:/", "/mnt/work");
    assertThat(noVolume.status()).isEqualTo(1);
    assertThat(noVolume.output()).contains("names no volume", "usage: mount -t trefoil");
    assertThat(mount("work").status()).isEqualTo(1);
    assertThat(calls()).isEmpty();

    command = ends("echo 'trefoil: unknown mount option' >&2; exit 2");
    ProcessRun badOption = mount("work", "/mnt/work", "-o", "colour=blue");
    assertThat(badOption.status()).isEqualTo(1);
    assertThat(badOption.output()).contains("trefoil: unknown mount option");

    command = ends("echo 'trefoil: volume work: there is no such volume' >&2; exit 4");
    ProcessRun missing = mount("work", "/mnt/work");
    assertThat(missing.status()).isEqualTo(32);
    assertThat(missing.output()).contains("there is no such volume");
  }

  @Test
  void aHostThatIsStartingIsWaitedFor() throws Exception {
    command = ends("test $(wc -l < " + arguments + ") -gt 1 || exit 3");
    succeeds("work", "/mnt/work");
    assertThat(calls()).hasSize(2);

    command = ends("echo 'trefoil: no host answers' >&2; exit 3");
    ProcessRun never = mount("work", "/mnt/work");
    assertThat(never.status()).isEqualTo(32);
    assertThat(never.output()).contains("no host answers");
  }
}
