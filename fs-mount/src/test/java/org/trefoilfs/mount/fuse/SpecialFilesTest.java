package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.SystemFile;
import org.trefoilfs.mount.testing.TestCluster;

/** What is no regular file, and times, at two mounts beside a local disk as the reference. */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel"})
class SpecialFilesTest {
  private static TestCluster cluster;

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  private static MountHandle a;
  private static MountHandle b;
  @Parameter String transport;
  private Path here;
  private Path there;
  private Path local;

  @AfterAll
  static void removeMountPoints() throws Exception {
    Files.delete(temp);
  }

  @BeforeParameterizedClassInvocation
  static void mount(String transport) throws Exception {
    cluster = new TestCluster(transport);
    a = cluster.mount(temp.resolve("a"), "");
    b = cluster.mount(temp.resolve("b"), "");
    Files.createDirectory(temp.resolve("local"));
  }

  @AfterParameterizedClassInvocation
  static void unmount() throws Exception {
    a.unmount();
    b.unmount();
    cluster.close();
    Shell.run(temp, "rm -r local; rmdir a b").succeeds();
  }

  @BeforeEach
  void directory(TestInfo test) throws Exception {
    String name = test.getTestMethod().get().getName();
    here = Files.createDirectory(a.mountPoint().resolve(name));
    there = b.mountPoint().resolve(name);
    local = Files.createDirectory(temp.resolve("local").resolve(name));
  }

  /** The script does the same here as locally, and what the second says is seen everywhere. */
  private void isAsLocally(String script, String question) throws Exception {
    String expected = Shell.run(local, script).text();
    assertThat(Shell.run(here, script).text()).isEqualTo(expected);
    String seen = Shell.run(local, question).succeeds().text();
    for (Path path : List.of(here, there)) {
      assertThat(Shell.run(path, question).succeeds().text()).as("at %s", path).isEqualTo(seen);
    }
  }

  @Test
  void nodesOfEveryTypeAreMade() throws Exception {
    isAsLocally(
        """
        umask 027
        mkfifo -m 640 p; mknod c c 1 3; mknod b b 7 255; mknod big c 4095 1048575; ln -s c l
        perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and bind(S, sockaddr_un("s")) or die $!'
        chmod 4711 c; chown 7:8 p s
        """,
        "stat -c '%n %F %t %T %a %u:%g %h %s %b' p c b big l s");
  }

  @Test
  void fifosSocketsAndDevicesWorkAsSuch() throws Exception {
    isAsLocally(
        """
        mkfifo p; (echo through > p &); cat p
        mknod null c 1 3; echo gone > null; cat null; mknod zero c 1 5; head -c 3 zero | od -An -tx1
        perl -MSocket -e '
          socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("s")) or die $!; listen(S, 1);
          socket(C, PF_UNIX, SOCK_STREAM, 0); connect(C, sockaddr_un("s")) or die $!;
          accept(A, S); syswrite(C, "hello"); sysread(A, $_, 5); print'
        mv p q; ln q r; rm q; test -p r && echo still
        """,
        "ls; find . -type p -o -type s -o -type c | sort");
  }

  @Test
  void setGroupIdDirectoriesHandTheirGroupOn() throws Exception {
    isAsLocally(
        """
        mkdir d; chgrp 4321 d; chmod 2775 d; umask 022
        touch d/f; mkdir d/e; mkdir d/e/g; mkfifo d/p; mknod d/c c 1 3; ln -s f d/l
        mkdir o; touch o/f; mv o d; touch d/o/g; chmod g-s d; touch d/h; mkdir d/i
        """,
        "find . | sort | xargs stat -c '%n %a %g'");
  }

  @Test
  void timesFarFromNowAreKeptToTheNanosecond() throws Exception {
    isAsLocally(
        """
        touch a b c d; mkdir e; mkfifo p; ln -s a l
        touch -d '2038-01-19 03:14:08.999999999Z' a
        touch -d '1969-12-31 23:59:59.000000001Z' b
        touch -d '1901-12-14 00:00:00.5Z' c
        touch -m -d '2106-02-07 06:28:16.123456789Z' d; touch -a -d '2200-02-28 12:00:00.1Z' d
        touch -d '2261-12-31 23:59:59.999999999Z' e p
        touch -h -d '2040-01-01 00:00:00.000000001Z' l
        """,
        "TZ=UTC stat -c '%n %.9X %.9Y' a b c d e p l");
  }

  /** Between 1677 and 2262 nanoseconds fit in 64 bits; as Linux has it for its filesystems. */
  @Test
  void timesThatCannotBeKeptBecomeTheNearestThatCan() throws Exception {
    String script =
        """
        touch a b
        touch -d '2500-01-01Z' a; touch -d '1600-01-01Z' b
        TZ=UTC stat -c '%.9X %.9Y' a b
        """;
    String last = "9223372036.854775807";
    String first = "-9223372036.854775808";
    assertThat(Shell.run(here, script).succeeds().text().lines())
        .containsExactly(last + " " + last, first + " " + first);
    assertThat(Shell.run(there, "stat -c %.9Y a").succeeds().text()).isEqualTo(last);
  }

  @Test
  void readingLeavesTheAccessTime() throws Exception {
    String script =
        """
        echo content > f; mkdir d; touch d/e; ln -s f l
        touch -a -d '2001-01-01Z' f d; touch -h -a -d '2001-01-01Z' l
        cat f l > /dev/null; ls d > /dev/null; readlink l > /dev/null
        stat -c %X f d l | uniq
        """;
    assertThat(Shell.run(here, script).succeeds().text()).isEqualTo("978307200");
    assertThat(Shell.run(there, "cat f l; ls d; stat -c %X f d l | uniq").succeeds().text())
        .endsWith("978307200");
  }

  /** As open(2) has it for filesystems without; who wants one makes a file and unlinks it. */
  @Test
  void filesWithoutANameAreRefusedAsNotSupported() {
    for (int flags : new int[] {SystemFile.TMPFILE, SystemFile.TMPFILE | SystemFile.EXCLUSIVE}) {
      assertThatThrownBy(() -> SystemFile.open(here, flags | SystemFile.READ_WRITE))
          .isInstanceOfSatisfying(
              SystemFile.Failure.class, e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
    }
    assertThat(here).isEmptyDirectory();
  }
}
