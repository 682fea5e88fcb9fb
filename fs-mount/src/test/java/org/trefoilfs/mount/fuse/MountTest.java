package org.trefoilfs.mount.fuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.testing.FaultyVolume.Kind;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.Reason;

/** One real mount over a volume in memory, through each transport. */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel", "kernel async"})
class MountTest {
  private static final long SEED = 20260117;
  private static TestCluster cluster;

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  private static Vfs vfs;
  private static MountHandle mount;
  @Parameter String transport;
  private Path dir;

  @AfterAll
  static void removeMountPoints() throws IOException {
    Files.delete(temp);
  }

  @BeforeParameterizedClassInvocation
  static void mount(String transport) throws Exception {
    cluster = new TestCluster(transport);
    vfs = cluster.vfs();
    mount = cluster.mount(vfs, temp.resolve("mnt"), "threads=16");
  }

  @AfterParameterizedClassInvocation
  static void unmount() throws Exception {
    mount.unmount();
    cluster.close();
    assertThat(mount.mounted()).isFalse();
    Files.delete(temp.resolve("mnt"));
  }

  @BeforeEach
  void directory(TestInfo test) throws IOException {
    dir = Files.createDirectory(mount.mountPoint().resolve(test.getTestMethod().get().getName()));
  }

  @Test
  void isShownAsTrefoilWithItsVolume() {
    assertThat(MountTable.at(mount.mountPoint()))
        .hasValueSatisfying(
            shown -> {
              assertThat(shown.type()).isEqualTo("fuse.trefoil");
              assertThat(shown.source()).isEqualTo("trefoil:test");
            });
  }

  @Test
  void filesOfAnySizeReadBackAsWritten() throws Exception {
    Random random = new Random(SEED);
    for (int size : new int[] {0, 1, 4095, 4096, 131072, 131073, (4 << 20) + 17, 9_000_000}) {
      byte[] data = new byte[size];
      random.nextBytes(data);
      Path file = dir.resolve("f" + size);
      Files.write(file, data);
      assertThat(Files.size(file)).isEqualTo(size);
      assertThat(Files.readAllBytes(file)).isEqualTo(data);
    }
  }

  @Test
  void sparseFileOfSixGibibytesReadsZerosThenItsEnd() throws Exception {
    Path file = dir.resolve("sparse");
    Shell.run(dir, "truncate -s 6G sparse").succeeds();
    assertThat(Files.size(file)).isEqualTo(6L << 30);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap("end".getBytes(UTF_8)), 6L << 30);
      ByteBuffer got = ByteBuffer.allocate(16);
      channel.read(got, (6L << 30) - 5);
      assertThat(Arrays.copyOf(got.array(), got.position()))
          .isEqualTo("\0\0\0\0\0end".getBytes(UTF_8));
    }
    assertThat(Files.size(file)).isEqualTo((6L << 30) + 3);
  }

  @Test
  void overwritingAndTruncatingOnOpenLeaveTheNewContentAlone() throws Exception {
    Path file = dir.resolve("f");
    Files.writeString(file, "a long first content");
    Files.writeString(file, "short");
    assertThat(Files.readString(file)).isEqualTo("short");
    Shell.run(dir, "truncate -s 2 f; truncate -s 8 f").succeeds();
    assertThat(Files.readAllBytes(file)).isEqualTo("sh\0\0\0\0\0\0".getBytes(UTF_8));
  }

  @Test
  void renameFlagsAreKeptOrRefused() throws Exception {
    String script =
        """
        import ctypes, os, sys
        c = ctypes.CDLL(None, use_errno=True)
        def rename(a, b, flags):
            ok = c.renameat2(-100, a, -100, b, flags) == 0
            return 0 if ok else ctypes.get_errno()
        print(*[rename(b'a', b'b', flags) for flags in (1, 2, 4)])
        print(open('a').read(), open('b').read())
        print(rename(b'a', b'c', 1), sorted(os.listdir('.')))
        """;
    Files.writeString(dir.resolve("a"), "a");
    Files.writeString(dir.resolve("b"), "b");
    List<String> kept = List.of("17 0 22", "b a", "0 ['b', 'c']");
    List<String> refused = List.of("17 22 22", "a b", "22 ['a', 'b']");
    assertThat(Shell.run(dir, "python3 -c \"" + script + "\"").succeeds().text().lines())
        .containsExactlyElementsOf(transport.startsWith("kernel") ? kept : refused);
  }

  @Test
  void renamedFileStaysOpen() throws Exception {
    Path file = Files.writeString(dir.resolve("old"), "before ");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
      Files.move(file, dir.resolve("new"));
      channel.write(ByteBuffer.wrap("after".getBytes(UTF_8)));
    }
    assertThat(file).doesNotExist();
    assertThat(dir.resolve("new")).hasContent("before after");
  }

  @Test
  void unlinkedFileLivesWhileItIsOpen() throws Exception {
    String script =
        """
        exec 3<>f; printf abc >&3; rm f
        stat -L -c '%h %s' /proc/self/fd/3
        printf defg >&3; stat -L -c '%h %s' /proc/self/fd/3
        chmod 600 /proc/self/fd/3; stat -L -c %a /proc/self/fd/3
        cat /proc/self/fd/3; echo; ls -A | wc -l\
        """;
    assertThat(Shell.run(dir, script).succeeds().text().lines())
        .containsExactly("0 3", "0 7", "600", "abcdefg", "0");
  }

  @Test
  void directoriesAreMadeRemovedAndRefusedWhenFull() throws Exception {
    Path inner = Files.createDirectories(dir.resolve("a/b/c"));
    assertThatThrownBy(() -> Files.delete(dir.resolve("a")))
        .isInstanceOf(DirectoryNotEmptyException.class);
    assertThat(Files.getAttribute(dir.resolve("a"), "unix:nlink")).isEqualTo(3);
    Files.delete(inner);
    Files.move(dir.resolve("a/b"), dir.resolve("b"));
    assertThat(dir.resolve("b")).isDirectory();
    assertThatThrownBy(() -> Files.readString(dir.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void linksShareAnInodeAndSymlinksKeepTheirTarget() throws Exception {
    Files.writeString(dir.resolve("f"), "x");
    Files.createLink(dir.resolve("g"), dir.resolve("f"));
    assertThat(Files.getAttribute(dir.resolve("g"), "unix:nlink")).isEqualTo(2);
    assertThat(Files.getAttribute(dir.resolve("g"), "unix:ino"))
        .isEqualTo(Files.getAttribute(dir.resolve("f"), "unix:ino"));
    Files.createSymbolicLink(dir.resolve("s"), Path.of("f"));
    assertThat(Files.readSymbolicLink(dir.resolve("s"))).hasToString("f");
    assertThat(dir.resolve("s")).hasContent("x");
    String longest = "t/".repeat(2047) + "t";
    Shell.run(dir, "ln -s " + longest + " longest").succeeds();
    assertThat(Files.readSymbolicLink(dir.resolve("longest"))).hasToString(longest);
  }

  @Test
  void modesOwnersTimesAndDevicesAreKept() throws Exception {
    String script =
        """
        touch f; chmod 4751 f; stat -c %a f; chown 12:34 f; stat -c '%u %g %a' f
        touch -m -d '1969-12-31 23:59:58.123456789Z' f; touch -a -d '2030-01-02 03:04:05.000000006Z' f
        TZ=UTC stat -c '%.Y %.9X' f
        mknod c c 300 70000; stat -c '%F %t %T' c; mkfifo p; stat -c %F p
        mknod n c 1 3; echo gone > n && echo written\
        """;
    assertThat(Shell.run(dir, script).succeeds().text().lines())
        .containsExactly(
            "4751",
            "12 34 751",
            "-1.876543211 1893553445.000000006",
            "character special file 12c 11170",
            "fifo",
            "written");
  }

  @Test
  void modificationTimeSetExplicitlyIsNotOvertakenByEarlierWrites() throws Exception {
    Path file = dir.resolve("f");
    FileTime past = FileTime.fromMillis(1_000_000_000_000L);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(100), 0);
      channel.write(ByteBuffer.allocate(10), 0);
      Files.setLastModifiedTime(file, past);
    }
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(past);
  }

  @Test
  void writeInPlaceShowsItsTimeAtOnce() throws Exception {
    Path file = Files.writeString(dir.resolve("f"), "0123456789");
    Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), 3);
      assertThat(Files.getLastModifiedTime(file).toMillis()).isGreaterThan(0);
    }
    assertThat(Files.getLastModifiedTime(file).toMillis()).isGreaterThan(0);
  }

  @Test
  void namesOf255BytesInAnyEncodingSurvive() throws Exception {
    String script =
        """
        shopt -s dotglob
        for seed in 1 2 3; do
          name=$(head -c 4000 /dev/urandom | tr -d '\\000/\\n' | head -c 255 | base64 -w0)
          printf 'x' > "$(printf %s "$name" | base64 -d)" || exit 1
          found=$(printf '%s\\n' * | head -1 | tr -d '\\n' | base64 -w0)
          [ "$found" = "$name" ] || { echo "$found is not $name"; exit 1; }
          rm -- "$(printf %s "$name" | base64 -d)"
        done
        latin=$(printf 'caf\\351'); ln -s "$latin" "$latin" && readlink -n "$latin" | od -An -tx1
        setfattr -n "user.$latin" -v 1 . && getfattr --absolute-names . | grep -c caf
        touch $(printf 'n%.0s' $(seq 256)) 2>&1 | grep -o 'File name too long'\
        """;
    Shell.Result result = Shell.run(dir, "export LC_ALL=C\n" + script);
    assertThat(result.succeeds().text().lines().map(String::strip))
        .containsExactly("63 61 66 e9", "1", "File name too long");
  }

  @Test
  void extendedAttributesAreKeptAndAclsRefused() throws Exception {
    String script =
        """
        touch f; setfattr -n user.a -v one f; setfattr -n trusted.t -v 2 f
        setfattr -n security.s -v 3 f; setfattr -n user.empty f
        getfattr --only-values -n user.a f; echo; getfattr -m - f | grep -v '^#' | sort | xargs
        setfattr -x user.a f; getfattr -n user.a f 2>&1 | grep -o 'No such attribute'
        setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff04000400ffffffff20000400ffffffff f \
          2>&1 | grep -o 'Operation not supported'\
        """;
    assertThat(Shell.run(dir, script).text().lines())
        .containsExactly(
            "one",
            "security.s trusted.t user.a user.empty",
            "No such attribute",
            "Operation not supported");
  }

  @Test
  void twentyThousandEntriesAreListedOnceEachWhileOthersComeAndGo() throws Exception {
    int count = 20_000;
    makeFiles("keep%05d", count);
    Set<String> seen = new TreeSet<>();
    long start = System.nanoTime();
    try (var entries = Files.newDirectoryStream(dir)) {
      int i = 0;
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if (name.startsWith("keep")) {
          assertThat(seen.add(name)).as(name + " twice").isTrue();
        }
        if (++i % 2000 == 0) {
          Files.createFile(dir.resolve("a" + i));
          Files.createFile(dir.resolve("z" + i));
          Files.deleteIfExists(dir.resolve("a" + (i - 2000)));
        }
      }
    }
    assertThat(seen).hasSize(count);
    assertThat(System.nanoTime() - start).as("nanoseconds").isLessThan(10_000_000_000L);
  }

  @Test
  void positionsInADirectoryAreFoundAgain() throws Exception {
    makeFiles("%d", 3000);
    String script =
        """
        import ctypes, sys
        c = ctypes.CDLL(None); c.opendir.restype = ctypes.c_void_p
        c.readdir.argtypes = c.telldir.argtypes = c.rewinddir.argtypes = [ctypes.c_void_p]
        c.readdir.restype = ctypes.c_void_p; c.telldir.restype = ctypes.c_long
        c.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
        d = c.opendir(b'.')
        def name():
            p = c.readdir(d)
            return ctypes.string_at(p + 19) if p else None
        places = []
        while True:
            at = c.telldir(d); n = name()
            if n is None: break
            places.append((at, n))
        for i in [3001, 0, 1500, 2, 999, 1000, 1001, 1002, 2001, 2999]:
            c.seekdir(d, places[i][0]); assert name() == places[i][1], i
        c.rewinddir(d); assert len(places) == 3002 and name() == places[0][1]
        """;
    Files.writeString(temp.resolve("seek.py"), script);
    Shell.run(dir, "python3 " + temp.resolve("seek.py") + "; rm " + temp.resolve("seek.py"))
        .succeeds();
  }

  @Test
  void concurrentAppendsAreAllKept() throws Exception {
    Path file = Files.createFile(dir.resolve("log"));
    inParallel(
        4,
        writer -> {
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
            for (int i = 0; i < 100; i++) {
              channel.write(ByteBuffer.wrap("%d:%03d\n".formatted(writer, i).getBytes(UTF_8)));
            }
          }
        });
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(400).doesNotHaveDuplicates();
  }

  @Test
  void concurrentExtendingWritesLeaveNoHole() throws Exception {
    Path file = Files.createFile(dir.resolve("f"));
    int block = 8192;
    inParallel(
        4,
        writer -> {
          byte[] data = new byte[block];
          Arrays.fill(data, (byte) (writer + 1));
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 50; i++) {
              channel.write(ByteBuffer.wrap(data), (long) (i * 4 + writer) * block);
            }
          }
        });
    byte[] all = Files.readAllBytes(file);
    assertThat(all).hasSize(200 * block);
    for (int i = 0; i < 200; i++) {
      assertThat(all[i * block]).isEqualTo((byte) (i % 4 + 1));
      assertThat(all[i * block + block - 1]).isEqualTo((byte) (i % 4 + 1));
    }
  }

  @Test
  void otherUsersAreHeldToPermissions() throws Exception {
    String script =
        """
        chmod 755 .; echo secret > f; chmod 600 f; mkdir open; chmod 1777 open
        as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        as cat f 2>&1 | grep -o 'Permission denied'
        as touch g 2>&1 | grep -o 'Permission denied'
        as bash -c 'umask 027; echo mine > open/h'; stat -c '%u %g %a' open/h
        as rm -f f 2>&1 | grep -o 'Permission denied'
        cp /bin/true s; chmod 6777 s; as bash -c 'echo x >> s'; stat -c %a s\
        """;
    // Every directory above is opened for the test.
    Shell.run(dir, "chmod 755 '" + temp + "'").succeeds();
    assertThat(Shell.run(dir, script).text().lines())
        .containsExactly(
            "Permission denied",
            "Permission denied",
            "65534 65534 640",
            "Permission denied",
            "777");
  }

  @Test
  void failuresOfTheVolumeReachTheApplication() throws Exception {
    // An acknowledged write is shipped until it succeeds: WriteBackTest.
    assumeThat(transport).doesNotEndWith("async");
    Path file = Files.writeString(dir.resolve("f"), "content");
    try {
      cluster.volume.fail(Kind.WRITE, Reason.NO_SPACE);
      assertThatThrownBy(() -> Files.writeString(dir.resolve("full"), "x"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No space left on device");
      cluster.volume.fail(Kind.WRITE, Reason.UNAVAILABLE);
      assertThatThrownBy(() -> Files.writeString(dir.resolve("full"), "x"))
          .hasMessageContaining("Input/output error");
      cluster.volume.fail(Kind.READ, Reason.CORRUPT);
      assertThatThrownBy(() -> Files.readString(file)).hasMessageContaining("Input/output error");
      cluster.volume.fail(Kind.FLUSH, Reason.IO);
      assertThat(Shell.run(dir, "sync f").text()).contains("Input/output error");
    } finally {
      cluster.volume.heal();
    }
    assertThat(file).hasContent("content");
    assertThat(dir.resolve("full")).hasSize(0);
    assertThat(mount.statistics().of(Operation.WRITE).failures()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void fallocateGrowsKeepsAndPunches() throws Exception {
    String script =
        """
        printf 0123456789 > f; fallocate -l 20 f; stat -c %s f
        fallocate -n -l 5000 f; stat -c %s f; fallocate -p -o 2 -l 5 f
        od -An -c f | tr -d ' \\n'; echo
        fallocate -c -o 0 -l 4096 f 2>&1 | grep -o 'not supported'\
        """;
    assertThat(Shell.run(dir, script).text().lines())
        .containsExactly(
            "20", "20", "01" + "\\0".repeat(5) + "789" + "\\0".repeat(10), "not supported");
  }

  @Test
  void copiedTreeIsTheSameTree() throws Exception {
    Path source = Files.createDirectory(temp.resolve("source"));
    String make =
        """
        mkdir -p a/b; echo 1 > a/b/f; ln a/b/f a/g; ln -s b/f a/s; mkfifo a/p; chmod 2750 a/b
        head -c 300000 /dev/urandom > big; truncate -s 5M big; setfattr -n user.k -v v a
        touch -d '2001-02-03 04:05:06.789Z' a/b/f; chown 3:4 big\
        """;
    Shell.run(source, make).succeeds();
    Shell.run(dir, "cp -a " + source + " copy").succeeds();
    Shell.Result difference =
        Shell.run(dir, "rsync -aHX --checksum --dry-run --itemize-changes " + source + "/ copy/");
    assertThat(difference.succeeds().text()).isEmpty();
    Shell.run(temp, "rm -r source").succeeds();
  }

  @Test
  void callsAreCountedAndTimed() throws Exception {
    long before = mount.statistics().of(Operation.MKDIR).calls();
    Files.createDirectory(dir.resolve("d"));
    CallStatistics.Figures figures = mount.statistics().of(Operation.MKDIR);
    assertThat(figures.calls()).isEqualTo(before + 1);
    assertThat(figures.longestNanos()).isBetween(1L, figures.totalNanos());
    assertThat(mount.statistics().snapshot()).containsKey(Operation.LOOKUP);
  }

  /** Beside the kernel, which would take far longer. */
  private void makeFiles(String pattern, int count) throws IOException {
    long parent = (long) Files.getAttribute(dir, "unix:ino");
    NewInode inode = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    for (int i = 0; i < count; i++) {
      vfs.make(parent, pattern.formatted(i).getBytes(UTF_8), inode);
    }
  }

  private interface Job {
    void run(int number) throws Exception;
  }

  private static void inParallel(int count, Job job) throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(count)) {
      List<Callable<Object>> jobs =
          IntStream.range(0, count)
              .<Callable<Object>>mapToObj(
                  number ->
                      () -> {
                        job.run(number);
                        return number;
                      })
              .collect(Collectors.toList());
      for (var done : pool.invokeAll(jobs)) {
        done.get();
      }
    }
  }

  @Test
  void statfsShowsTheVolumesRoom() throws Exception {
    assertThat(Files.getFileStore(dir).getTotalSpace()).isEqualTo(64L << 30);
    assertThat(Files.getFileStore(dir).getUsableSpace()).isEqualTo(48L << 30);
    try (Stream<Path> none = Files.list(dir)) {
      assertThat(none).isEmpty();
    }
  }
}
