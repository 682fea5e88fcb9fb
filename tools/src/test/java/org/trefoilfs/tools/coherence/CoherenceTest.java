package org.trefoilfs.tools.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.StallLimit;

/**
 * Programs on the mounts of three hosts, two through the kernel transport and one through libfuse,
 * change and read the same names, bytes, sizes and times, and count under a lock, while daemons are
 * suspended for up to one and a half seconds. Each object's history must be that of one file tree.
 * {@code TREFOIL_COHERENCE_SECONDS} says for how long.
 */
class CoherenceTest {
  private static final Duration LENGTH =
      Duration.ofSeconds(
          Long.parseLong(System.getenv().getOrDefault("TREFOIL_COHERENCE_SECONDS", "20")));
  private static final int HOSTS = 3;
  private static final int USERS = 2;

  /** Longer than a lease to read, and shorter than it takes to be declared lost. */
  private static final int SUSPENDED_MILLIS_MAX = 1_500;

  private final long seed = System.nanoTime();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final List<CompletableFuture<Long>> running = new ArrayList<>();

  @TempDir Path directory;

  @Test
  void everybodySeesOneFileTreeOfASyncVolume() throws Exception {
    play(CommitMode.SYNC);
  }

  @Test
  void everybodySeesOneFileTreeOfAnAsyncVolume() throws Exception {
    play(CommitMode.ASYNC);
  }

  private void play(CommitMode commit) throws Exception {
    System.out.println("seed " + seed);
    Objects objects = new Objects();
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, HOSTS);
        Signals signals = new Signals()) {
      cluster.createVolume("work", HOSTS, commit);
      List<Path> mounts =
          List.of(
              cluster.mount(1, "work", FuseTransportKind.KERNEL),
              cluster.mount(2, "work", FuseTransportKind.KERNEL),
              cluster.mount(3, "work", FuseTransportKind.LIBFUSE));
      Path counter = Files.write(mounts.getFirst().resolve("counter"), new byte[8]);
      objects.create(mounts.getFirst());
      List<CompletableFuture<Long>> counting = new ArrayList<>();
      for (Path mount : mounts) {
        String name = mount.getFileName().toString();
        for (int user = 0; user < USERS; user++) {
          Objects.User one = objects.new User(mount, name + "-" + user, seed + running.size());
          running.add(start(() -> act(one)));
        }
        counting.add(start(() -> count(mount.resolve("counter"))));
      }
      running.addAll(counting);
      suspend(cluster, signals, objects);
      long total = 0;
      for (CompletableFuture<Long> one : counting) {
        total += one.join();
      }
      for (CompletableFuture<Long> one : running) {
        one.join();
      }
      assertThat(ByteBuffer.wrap(Files.readAllBytes(counter)).getLong())
          .as("counted under a lock")
          .isEqualTo(total);
      ObjectHistory slowestOne =
          objects.all().max(Comparator.comparing(ObjectHistory::longest)).orElseThrow();
      Duration slowest = slowestOne.longest();
      int operations = operations(objects);
      System.out.printf(
          "%s: %d operations on %d objects, and %d under a lock; the slowest took %d ms: %s%n",
          commit,
          operations,
          objects.all().count(),
          total,
          slowest.toMillis(),
          slowestOne.slowest());
      assertThat(objects.all().flatMap(each -> each.violation().stream())).isEmpty();
      // Without that nothing would have been tried.
      assertThat(operations).isGreaterThan(10 * (int) LENGTH.toSeconds());
      assertThat(slowest).isLessThan(StallLimit.chosen());
    }
  }

  private static int operations(Objects objects) {
    return objects.all().mapToInt(ObjectHistory::size).sum();
  }

  /** Ends all when one fails. */
  private CompletableFuture<Long> start(Callable<Long> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.call();
          } catch (Exception | Error e) {
            stopping.countDown();
            throw new AssertionError(e);
          }
        },
        task -> Thread.ofPlatform().daemon().start(task));
  }

  private long act(Objects.User user) throws IOException {
    long done = 0;
    while (!isStopping()) {
      user.act();
      done++;
    }
    user.close();
    return done;
  }

  /** Adds one to a number in a file, again and again, each time under its lock. */
  private long count(Path file) throws IOException {
    long done = 0;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      while (!isStopping()) {
        try (FileLock lock = channel.lock()) {
          assertThat(lock.isValid()).isTrue();
          ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
          channel.read(number, 0);
          long next = number.flip().getLong() + 1;
          channel.write(ByteBuffer.allocate(Long.BYTES).putLong(next).flip(), 0);
          done++;
        }
      }
    }
    return done;
  }

  private void suspend(ClusterProcesses cluster, Signals signals, Objects objects)
      throws IOException, InterruptedException {
    Random random = new Random(seed);
    long end = System.nanoTime() + LENGTH.toNanos();
    boolean stopped = stopsWithin(LENGTH.toMillis() / 2);
    System.out.printf("%d operations before anybody is suspended%n", operations(objects));
    while (!stopped && System.nanoTime() - end < 0) {
      stopped = stopsWithin(500 + random.nextInt(3_000));
      long pid = cluster.pid(1 + random.nextInt(HOSTS));
      signals.send("STOP", pid);
      try {
        stopped |= stopsWithin(50 + random.nextInt(SUSPENDED_MILLIS_MAX));
      } finally {
        signals.send("CONT", pid);
      }
    }
    stopping.countDown();
  }

  private boolean isStopping() {
    return stopping.getCount() == 0;
  }

  private boolean stopsWithin(long millis) throws InterruptedException {
    return stopping.await(millis, TimeUnit.MILLISECONDS);
  }

  /**
   * A shell that sends signals. A process that begins now would close its copies of our open files
   * first, and wait for a mount that is suspended.
   */
  private static final class Signals implements AutoCloseable {
    private final Process shell;

    Signals() throws IOException {
      shell =
          new ProcessBuilder("sh").inheritIO().redirectInput(ProcessBuilder.Redirect.PIPE).start();
    }

    void send(String signal, long pid) throws IOException {
      shell.getOutputStream().write("kill -%s %d\n".formatted(signal, pid).getBytes());
      shell.getOutputStream().flush();
    }

    @Override
    public void close() {
      shell.destroy();
    }
  }
}
