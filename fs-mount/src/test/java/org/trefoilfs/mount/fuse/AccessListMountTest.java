package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.TestCluster;

/**
 * POSIX access control lists, with {@code -o acl}: what the same commands do on a local disk they
 * do on a mount, and what one mount has set the other goes by.
 */
final class AccessListMountTest {
  private static final String AS_1000 =
      "setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all -- ";

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  @TempDir Path local;

  private final TestCluster cluster = new TestCluster("kernel");
  private Path here;
  private Path there;

  @BeforeEach
  void mount() throws Exception {
    here = cluster.mount(temp.resolve("a"), "acl").mountPoint();
    there = cluster.mount(temp.resolve("b"), "acl").mountPoint();
    // The test's own directories are for their user alone.
    for (Path path = local; !path.equals(path.getRoot()); path = path.getParent()) {
      letIn(path);
    }
    for (Path path = temp; !path.equals(path.getRoot()); path = path.getParent()) {
      letIn(path);
    }
  }

  private static void letIn(Path directory) throws Exception {
    if (!directory.equals(Path.of("/tmp"))) {
      Shell.run(directory, "chmod a+rx .").succeeds();
    }
  }

  @AfterEach
  void unmount() throws IOException {
    cluster.close();
    Files.delete(here);
    Files.delete(there);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // A list, and the mode that it makes.
        "touch f; chmod 640 f; setfacl -m u:1000:rw,g:2000:x f; getfacl -n f; stat -c %A f",
        // chmod changes the mask, not the group.
        "touch f; setfacl -m u:1000:rwx f; chmod 750 f; getfacl -n f; stat -c %a f",
        // What says no more than the mode is not kept.
        "touch f; setfacl -m u:1000:rw f; setfacl -b f; getfacl -n f; getfattr -d -m - f; stat -c %a f",
        "touch f; setfacl -m u::r,g::r,o::r f; getfattr -d -m - f; stat -c %a f",
        // Defaults are inherited, and then the umask does not count.
        "mkdir d; setfacl -d -m u:1000:rwx,g::rx,o::- d; umask 077; touch d/f; mkdir d/e d/e/g;"
            + " mkfifo d/p; getfacl -n d d/f d/e d/e/g d/p; stat -c %a d/f d/e d/e/g d/p",
        "mkdir d; setfacl -d -m u::rw,g::r,o::r d; umask 022; touch d/f; (umask 0; mkdir d/e);"
            + " getfacl -n d/f d/e; getfattr -d -m - d/f",
        // Without a default the umask does.
        "umask 027; touch f; mkdir d; mkfifo p; stat -c %a f d p",
        "mkdir d; setfacl -d -m u:1000:rwx d; setfacl -k d; umask 027; touch d/f; getfacl -n d d/f",
        // Links have none; files have no defaults.
        "mkdir d; setfacl -d -m u:1000:rwx d; ln -s x d/l; stat -c %a d/l",
        "touch f; setfacl -d -m u:1000:rwx f",
        "touch f; setfattr -n system.posix_acl_access -v 0x0300000001000600ffffffff f 2>&1",
        "touch f; setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff f 2>&1",
        // Who is let in.
        "echo x > f; chmod 600 f; "
            + AS_1000
            + "cat f; setfacl -m u:1000:r f; "
            + AS_1000
            + "cat f",
        "echo x > f; chmod 644 f; setfacl -m u:1000:- f; " + AS_1000 + "cat f",
        "echo x > f; chmod 600 f; setfacl -m g:1000:rw f; setfacl -m m::r f; "
            + AS_1000
            + "cat f; "
            + AS_1000
            + "sh -c 'echo y > f'; cat f",
        "mkdir d; chmod 700 d; echo x > d/f; "
            + AS_1000
            + "ls d; setfacl -m u:1000:x d; "
            + AS_1000
            + "cat d/f; "
            + AS_1000
            + "ls d",
        // What is copied keeps its lists.
        "touch f; setfacl -m u:1000:rw f; cp -a f g; getfacl -n g"
      })
  void doesWhatALocalDiskDoes(String script) throws Exception {
    Shell.Result onDisk = Shell.run(local, "LC_ALL=C; exec 2>&1; " + script);
    Shell.Result onMount = Shell.run(here, "LC_ALL=C; exec 2>&1; " + script);
    assertThat(onMount).isEqualTo(onDisk);
  }

  @Test
  void listIsCheckedAtTheOtherMountAtOnce() throws Exception {
    Shell.run(here, "echo secret > f; chmod 600 f").succeeds();
    assertThat(Shell.run(there, AS_1000 + "cat f").exit()).isNotZero();
    Shell.run(here, "setfacl -m u:1000:r f").succeeds();
    assertThat(Shell.run(there, AS_1000 + "cat f").text()).isEqualTo("secret");
    Shell.run(here, "setfacl -x u:1000 f").succeeds();
    assertThat(Shell.run(there, AS_1000 + "cat f").exit()).isNotZero();
  }

  @Test
  void libfuseSaysThatItCannot() {
    TestCluster other = new TestCluster("libfuse");
    try {
      assertThatThrownBy(() -> other.mount(temp.resolve("c"), "acl"))
          .hasMessageContaining("'acl' needs --transport kernel");
    } finally {
      other.close();
      assertThat(temp.resolve("c")).isEmptyDirectory();
      temp.resolve("c").toFile().delete();
    }
  }
}
