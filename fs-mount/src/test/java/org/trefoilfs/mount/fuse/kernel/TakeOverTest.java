package org.trefoilfs.mount.fuse.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.WriteRequest;
import org.trefoilfs.replication.env.SystemTime;

/** A real mount whose daemon is killed, and which the next one serves on. */
class TakeOverTest {
  @TempDir(cleanup = CleanupMode.NEVER)
  Path temp;

  private KillableMount mount;
  private Path dir;

  @BeforeEach
  void mount() throws Exception {
    mount = new KillableMount(temp.resolve("mnt"));
    dir = mount.path;
  }

  @AfterEach
  void unmount() throws Exception {
    mount.close();
    assertThat(mount.state().keeper().lives()).as("the keeper").isFalse();
    Files.delete(temp);
  }

  @Test
  void filesThatWereOpenAreReadAndWrittenOn() throws Exception {
    String script =
        "exec 3<> f; printf before >&3; echo; read -r go; printf ' and after' >&3; echo; read -r"
            + " go; printf ' and later' >&3; cat < /proc/self/fd/3 > g; exec 3>&-";
    Process process = bash(script);
    try {
      for (int killed = 1; killed <= 2; killed++) {
        assertThat(process.inputReader().readLine()).isEmpty();
        mount.kill();
        mount.takeOver();
        process.outputWriter().append("go\n").flush();
      }
      assertThat(process.waitFor()).isZero();
      assertThat(dir.resolve("f")).hasContent("before and after and later");
      assertThat(dir.resolve("g")).hasContent("before and after and later");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void pagesThatTheKilledDaemonGaveOutAreReadAnew() throws Exception {
    Files.writeString(dir.resolve("f"), "old");
    Location f = Location.ofPath(mount.names().root(), "f".getBytes(UTF_8));
    Awaitility.await().until(() -> mount.names().lookup(f).join().writers().sessions().isEmpty());
    String script =
        "open F, '<', 'f'; for (1, 2) { sysseek F, 0, 0; sysread F, $text, 3; syswrite STDOUT,"
            + " \"$text\\n\"; <STDIN> }";
    Process process =
        new ProcessBuilder("perl", "-e", script)
            .directory(dir.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("old");
      mount.kill();
      // A daemon that is really dead gives no lease up: who writes waits for as long.
      Thread.sleep(1_000);
      Vfs other = mount.other();
      long handle = other.open(mount.names().lookup(f).join().inode());
      other.write(
          handle, new WriteRequest(0, ByteBuffer.wrap("new".getBytes(UTF_8)), 0, Caller.ROOT));
      other.release(handle);
      mount.takeOver();
      process.outputWriter().append("go\n").flush();
      assertThat(process.inputReader().readLine()).isEqualTo("new");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void attributesAreRememberedByTheKernelUnderTheNextDaemonToo() throws Exception {
    for (int i = 0; i < 20; i++) {
      Files.writeString(dir.resolve("f" + i), "content");
    }
    mount.kill();
    mount.takeOver();
    Awaitility.await()
        .pollInterval(Duration.ofMillis(1))
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              look();
              long before = requests();
              look();
              return requests() == before;
            });
  }

  private void look() throws IOException {
    for (int i = 0; i < 20; i++) {
      assertThat(Files.size(dir.resolve("f" + i))).isEqualTo(7);
    }
  }

  private long requests() {
    return mount.statistics().snapshot().values().stream().mapToLong(of -> of.calls()).sum();
  }

  @Test
  void callsWaitUntilTheNextDaemonServes() throws Exception {
    Files.writeString(dir.resolve("f"), "kept");
    mount.kill();
    CompletableFuture<String> read = call(() -> Files.readString(dir.resolve("f")));
    assertThat(read).isNotDone();
    mount.takeOver();
    assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo("kept");
  }

  @Test
  void whatTheKilledDaemonHadCommittedAndNotAnsweredIsNotDoneAgain() throws Exception {
    Files.createFile(dir.resolve("removed"));
    Files.createFile(dir.resolve("old"));
    Files.createDirectory(dir.resolve("emptied"));
    killDuring(Opcode.CREATE, "set -C; : > made", () -> exists("made"));
    killDuring(Opcode.MKDIR, "mkdir d", () -> exists("d"));
    killDuring(Opcode.LINK, "ln made l", () -> exists("l"));
    killDuring(Opcode.SYMLINK, "ln -s made s", () -> exists("s"));
    killDuring(Opcode.UNLINK, "rm removed", () -> !exists("removed"));
    killDuring(Opcode.RMDIR, "rmdir emptied", () -> !exists("emptied"));
    killDuring(Opcode.RENAME2, "mv old new", () -> exists("new"));
    assertThat(dir.toFile().list()).containsExactlyInAnyOrder("made", "d", "l", "s", "new");
    assertThat(Files.getAttribute(dir.resolve("made"), "unix:nlink")).isEqualTo(2);
  }

  @Test
  void whatWasAppendedIsNotAppendedTwice() throws Exception {
    Path log = dir.resolve("log");
    Files.writeString(log, "one ");
    for (String word : new String[] {"two ", "three "}) {
      long before = size("log");
      killDuring(Opcode.WRITE, "printf '" + word + "' >> log", () -> size("log") > before);
    }
    assertThat(log).hasContent("one two three ");
  }

  @Test
  void openingThatWasNotAnsweredGivesTheSameHandle() throws Exception {
    Files.writeString(dir.resolve("f"), "content");
    killDuring(Opcode.OPEN, "test $(cat f) = content", () -> true);
    assertThat(dir.resolve("f")).hasContent("content");
  }

  @Test
  void directoryIsReadOnFromTheMiddle() throws Exception {
    Set<String> made = new TreeSet<>();
    for (int i = 0; i < 1300; i++) {
      made.add("entry-%04d".formatted(i));
      Files.createFile(dir.resolve("entry-%04d".formatted(i)));
    }
    Set<String> seen = new TreeSet<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(dir)) {
      Iterator<Path> entries = stream.iterator();
      while (entries.hasNext()) {
        assertThat(seen.add(entries.next().getFileName().toString())).isTrue();
        if (seen.size() == 300 || seen.size() == 1200) {
          // Of those that were handed out already: it makes no difference to the others.
          Files.delete(dir.resolve("entry-%04d".formatted(seen.size() - 200)));
          Files.createFile(dir.resolve("a-new-one-%d".formatted(seen.size())));
          mount.kill();
          mount.takeOver();
        }
      }
    }
    assertThat(seen).isEqualTo(made);
  }

  @Test
  void openFileWithoutANameIsRemovedAtTheNextDaemonsTooOnlyWhenItIsClosed() throws Exception {
    Files.writeString(dir.resolve("f"), "kept");
    Process process = bash("exec 3< f; echo; read -r go; cat <&3; exec 3>&-");
    try {
      assertThat(process.inputReader().readLine()).isEmpty();
      mount.kill();
      mount.takeOver();
      Files.delete(dir.resolve("f"));
      assertThat(mount.reclaimable()).isEmpty();
      process.outputWriter().append("go\n").flush();
      assertThat(process.inputReader().readLine()).isEqualTo("kept");
    } finally {
      process.destroyForcibly();
    }
    Awaitility.await().untilAsserted(() -> assertThat(mount.reclaimable()).hasSize(1));
  }

  @Test
  void locksStayWithTheirOwnersAndGoWithThem() throws Exception {
    Process holder = bash("exec 3> f; flock 3; echo; read -r go");
    try {
      assertThat(holder.inputReader().readLine()).isEmpty();
      mount.kill();
      mount.takeOver();
      assertThat(bash("flock -n f true").waitFor()).as("somebody else's").isEqualTo(1);
      holder.outputWriter().append("go\n").flush();
      assertThat(holder.waitFor()).isZero();
      assertThat(bash("flock -w 10 f true").waitFor()).as("free").isZero();
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void workingDirectoriesAndBindMountsStay() throws Exception {
    Path bound = Files.createDirectory(temp.resolve("bound"));
    Files.createDirectory(dir.resolve("sub"));
    Shell.run(temp, "mount --bind mnt/sub bound").succeeds();
    String script = "echo before > f; read -r go; cat f && echo after > g && pwd -P";
    Process process = bash(bound, script);
    try {
      Awaitility.await().until(() -> Files.exists(dir.resolve("sub/f")));
      mount.kill();
      process.outputWriter().append("go\n").flush();
      mount.takeOver();
      assertThat(process.inputReader().readAllAsString()).isEqualTo("before\n" + bound + "\n");
      assertThat(process.waitFor()).isZero();
      assertThat(dir.resolve("sub/g")).hasContent("after\n");
    } finally {
      process.destroyForcibly();
      Shell.run(temp, "umount -l bound && rmdir bound").succeeds();
    }
  }

  @Test
  void mountThatWasAbortedIsNotTakenOver() throws Exception {
    mount.kill();
    String device = MountTable.at(dir).orElseThrow().device();
    String number = device.substring(device.indexOf(':') + 1);
    Shell.run(
            temp,
            "c=/sys/fs/fuse/connections; mountpoint -q $c || mount -t fusectl none $c;"
                + " echo 1 > $c/"
                + number
                + "/abort")
        .succeeds();
    assertThat(KernelConnection.left(mount.state(), dir, SystemTime.INSTANCE)).isEmpty();
    KernelConnection.abandon(mount.state());
  }

  /** The daemon is killed between the commit of what the call changes and its answer. */
  private void killDuring(Opcode last, String call, Callable<Boolean> committed) throws Exception {
    mount.leaveUnanswered(last);
    Process process = bash(call);
    Awaitility.await().until(committed);
    mount.kill();
    mount.takeOver();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).as(call).isTrue();
    assertThat(process.exitValue()).as(call).isZero();
  }

  /**
   * Another process: a file that this one had open would be closed by the keeper that it starts,
   * and closing waits for the daemon that waits for the keeper.
   */
  private Process bash(String script) throws IOException {
    return bash(dir, script);
  }

  private static Process bash(Path directory, String script) throws IOException {
    return new ProcessBuilder("bash", "-euc", script)
        .directory(directory.toFile())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static <T> CompletableFuture<T> call(Callable<T> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                result.complete(call.call());
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  private Location at(String name) {
    return Location.of(mount.names().root(), name.getBytes(UTF_8));
  }

  private boolean exists(String name) {
    return mount.names().lookup(at(name)).handle((found, failure) -> failure == null).join();
  }

  private long size(String name) {
    return mount.names().lookup(at(name)).join().size();
  }
}
