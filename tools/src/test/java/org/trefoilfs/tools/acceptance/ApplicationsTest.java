package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.ClusterProcesses;

/** Real programs on a mount, each checked by its own means, and at the other mount. */
final class ApplicationsTest {
  private static final int SQLITE_WRITERS = 4;
  private static final int SQLITE_INSERTS = 40;

  @TempDir static Path directory;
  private static ClusterProcesses cluster;
  private static Path mount;
  private static Path other;

  @BeforeAll
  static void start() {
    cluster = ClusterProcesses.start(directory, 3);
    cluster.createVolume("work", 3);
    mount = cluster.mount(1, "work");
    other = cluster.mount(2, "work");
  }

  @AfterAll
  static void stop() {
    cluster.close();
    Trees.remove(directory.resolve("to-pack"));
    Trees.remove(directory.resolve("unpacked"));
  }

  @Test
  void gitClonesCommitsCollectsGarbageAndFindsNoDamage() throws Exception {
    Path origin = Files.createDirectory(directory.resolve("origin"));
    String history =
        """
        export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
        export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
        git init -q -b main .
        for i in $(seq 60); do
          mkdir -p d$((i % 7))
          seq $i $((i * 50)) >d$((i % 7))/f$i
          git add -A
          git commit -q -m "change $i"
        done
        """;
    Run.script(origin, history).succeeded();
    String work =
        """
        export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.org
        export GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.org
        git clone -q --no-hardlinks "$1" clone
        cd clone
        git checkout -q -b work
        for i in 1 2 3 4 5; do
          seq $i 20000 >new$i
          git add new$i
          git commit -q -m "new $i"
        done
        git mv d1 moved
        git commit -q -m moved
        git gc -q --aggressive --prune=now
        git fsck --full --strict
        git stash list
        git status --porcelain
        git rev-list --count HEAD
        """;
    Run run = Run.script(mount, work, origin.toString()).succeeded();
    assertThat(run.output().strip()).endsWith("66");
    Run seen =
        Run.script(
                other.resolve("clone"),
                """
                export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
                git fsck --full --strict && git status --porcelain && git log --oneline | wc -l
                """)
            .succeeded();
    assertThat(seen.output().strip()).endsWith("66");
  }

  @Test
  void sqliteDatabaseIsIntactAfterConcurrentWriters() {
    for (String journal : List.of("delete", "truncate", "persist")) {
      String script =
          """
          db=$1-$4.db writers=$2 inserts=$3
          sqlite3 "$db" "pragma journal_mode=$4; create table t(writer int, n int, text text);
            create index i on t(writer, n);" >/dev/null
          pids=
          for w in $(seq "$writers"); do
            for n in $(seq "$inserts"); do
              echo ".timeout 60000"
              echo "pragma synchronous=full; begin immediate;"
              echo "insert into t values($w, $n, hex(randomblob(500)));"
              echo "update t set text = hex(randomblob(300)) where writer = $w and n = $n / 2; commit;"
            done | sqlite3 -bail "$db" &
            pids+=" $!"
          done
          for pid in $pids; do wait "$pid"; done
          sqlite3 "$db" "pragma integrity_check; select count(*), count(distinct writer || '-' || n) from t"
          """;
      Run run =
          Run.script(
                  mount,
                  script,
                  "database",
                  Integer.toString(SQLITE_WRITERS),
                  Integer.toString(SQLITE_INSERTS),
                  journal)
              .succeeded();
      int rows = SQLITE_WRITERS * SQLITE_INSERTS;
      assertThat(run.output()).isEqualTo("ok\n" + rows + "|" + rows + "\n");
      Run seen = Run.in(other, "sqlite3", "database-" + journal + ".db", "pragma integrity_check");
      assertThat(seen.output()).isEqualTo("ok\n");
    }
  }

  @Test
  void tarPacksOnTheMountWhatItUnpackedThere() throws Exception {
    Path source = directory.resolve("to-pack");
    Trees.real(source.resolve("real"), 150);
    Trees.specials(source.resolve("specials"));
    Files.delete(source.resolve("specials/sizes/6GiB"));
    String script =
        """
        options='--xattrs --xattrs-include=* --acls --sparse --numeric-owner --format=posix'
        tar $options -C "$1" -cf in.tar .
        mkdir unpacked
        tar $options -C unpacked -xpf in.tar
        tar $options -C unpacked -cf "$2/out.tar" .
        mkdir "$2/unpacked"
        tar $options -C "$2/unpacked" -xpf "$2/out.tar"
        """;
    Run.script(mount, script, source.toString(), directory.toString()).succeeded();
    Trees.assertEqual(source, other.resolve("unpacked"));
    Trees.assertEqual(source, directory.resolve("unpacked"));
  }

  @Test
  void mavenPackagesASmallProject() throws Exception {
    Path project = Files.createDirectories(mount.resolve("project"));
    Path sources = Files.createDirectories(project.resolve("src/main/java/demo"));
    Files.writeString(
        sources.resolve("Hello.java"),
        "package demo; public class Hello { public static void main(String[] a) {"
            + " System.out.println(\"packed on Trefoil\"); } }");
    Files.createDirectories(project.resolve("src/main/resources"));
    Files.writeString(project.resolve("src/main/resources/some.properties"), "a=b\n");
    Files.writeString(project.resolve("pom.xml"), POM);
    Run packaged =
        Run.in(
            project,
            "mvn",
            "-B",
            "-q",
            "-o",
            "-Dmaven.repo.local="
                + System.getProperty(
                    "localRepository", System.getProperty("user.home") + "/.m2/repository"),
            "package");
    packaged.succeeded();
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Run ran = Run.in(other.resolve("project"), java, "-cp", "target/small-1.jar", "demo.Hello");
    assertThat(ran.succeeded().output()).isEqualTo("packed on Trefoil\n");
  }

  /** The plugins are those that build Trefoil itself: nothing is fetched for this test. */
  private static final String POM =
      """
      <project xmlns="http://maven.apache.org/POM/4.0.0">
        <modelVersion>4.0.0</modelVersion>
        <groupId>demo</groupId>
        <artifactId>small</artifactId>
        <version>1</version>
        <properties>
          <maven.compiler.release>17</maven.compiler.release>
          <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
          <maven.test.skip>true</maven.test.skip>
        </properties>
        <build>
          <finalName>small-1</finalName>
          <plugins>
            <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.16.0</version></plugin>
            <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin>
            <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.6.1</version></plugin>
            <plugin><artifactId>maven-jar-plugin</artifactId><version>3.4.2</version></plugin>
          </plugins>
        </build>
      </project>
      """;

  @Test
  void fioFindsEveryByteThatItWroteBuffered() {
    fio("buffered", "--direct=0", "--fsync=64");
  }

  @Test
  void fioFindsEveryByteThatItWroteDirectly() {
    fio("direct", "--direct=1");
  }

  private static void fio(String name, String... options) {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                "fio",
                "--name=" + name,
                "--filename=" + name + ".fio",
                "--size=" + Sizes.chosen().fioMegabytes() + "M",
                "--rw=randwrite",
                "--bsrange=4k-128k",
                "--bs_unaligned=" + (name.equals("buffered") ? 1 : 0),
                "--ioengine=psync",
                "--verify=crc32c",
                "--verify_fatal=1",
                "--do_verify=1",
                "--randseed=20260101"));
    command.addAll(List.of(options));
    Run run = Run.in(mount, Run.LONGEST, command).succeeded();
    assertThat(run.output()).contains("err= 0").doesNotContain("verify:");
    Figures.say(
        "fio %s: %s", name, run.output().lines().filter(l -> l.contains("WRITE:")).toList());
    Run seen =
        Run.in(
            other,
            Run.LONGEST,
            java.util.stream.Stream.concat(
                    command.stream(), java.util.stream.Stream.of("--verify_only=1"))
                .toList());
    assertThat(seen.succeeded().output()).contains("err= 0").doesNotContain("verify:");
  }

  @Test
  void openFileIsReadableAfterAnotherProcessRenamedAndUnlinkedIt() throws Exception {
    for (Path elsewhere : List.of(mount, other)) {
      byte[] content = "still here".repeat(100_000).getBytes(StandardCharsets.UTF_8);
      Path file = mount.resolve("open");
      Files.write(file, content);
      try (var open = java.nio.channels.FileChannel.open(file, READ_WRITE)) {
        Run.in(elsewhere, "mv", "open", "renamed").succeeded();
        assertThat(readAll(open)).isEqualTo(content);
        open.write(java.nio.ByteBuffer.wrap(content), content.length);
        assertThat(Files.size(elsewhere.resolve("renamed"))).isEqualTo(2L * content.length);
        Run.in(elsewhere, "rm", "renamed").succeeded();
        assertThat(elsewhere.resolve("renamed")).doesNotExist();
        // The cluster looks for files without a name and without a user several times a second.
        Run.in(elsewhere, "sleep", "3");
        assertThat(readAll(open)).hasSize(2 * content.length).startsWith(content);
        open.truncate(10);
        assertThat(readAll(open)).isEqualTo("still here".getBytes(StandardCharsets.UTF_8));
      }
      assertThat(Run.in(mount, "ls", "-A").output()).doesNotContain(".fuse_hidden");
    }
  }

  private static final java.util.Set<java.nio.file.StandardOpenOption> READ_WRITE =
      java.util.Set.of(
          java.nio.file.StandardOpenOption.READ, java.nio.file.StandardOpenOption.WRITE);

  private static byte[] readAll(java.nio.channels.FileChannel channel) throws Exception {
    java.nio.ByteBuffer all = java.nio.ByteBuffer.allocate((int) channel.size());
    while (all.hasRemaining() && channel.read(all, all.position()) >= 0) {
      // Until all is read.
    }
    return all.array();
  }
}
