package org.trefoilfs.tools.daemon;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.statelog.rocks.RocksLibrary;

/**
 * The command lines by which this program starts itself again. What the launcher says in system
 * properties goes on to each process: {@code trefoil.home} and {@code trefoil.command}; {@code
 * trefoil.classpath}, if it is to be another than this process's; {@code trefoil.aot}, the
 * ahead-of-time cache that belongs to it, if there is one; {@code trefoil.native}, native libraries
 * that have been unpacked.
 */
public final class Jvm {
  private static final String CLASS_PATH = "trefoil.classpath";

  /** The system property that names the ahead-of-time cache. */
  public static final String CACHE = "trefoil.aot";

  private static final List<String> PASSED_ON =
      List.of("trefoil.home", "trefoil.command", CLASS_PATH, CACHE, RocksLibrary.DIRECTORY);

  /** A recording is of daemons as they are by default. */
  private static final String RECORDED_HEAP = HostConfig.DEFAULT_HEAP;

  /** Copies of the wire's and the store's buffers outside the heap. */
  private static final String DIRECT_MEMORY = "-XX:MaxDirectMemorySize=512m";

  /**
   * With heaps of a few hundred megabytes on few processors. Measured with three hosts on two: the
   * generational Z collector took twice the memory (570 MB resident, not 290), and where half of
   * the heap lived, a third of the processors and pauses of up to a second.
   */
  private static final String COLLECTOR = "-XX:+UseG1GC";

  /**
   * A payload of 1 MiB is more than half of the region that G1 would choose, so it would take two
   * of its own: hosts with 256 MiB ran out of memory while 16 such writes were under way.
   */
  private static final String REGIONS = "-XX:G1HeapRegionSize=4m";

  /**
   * Compilers took half of the processor time until a host served: they compile what the cache says
   * was hot as soon as it is met. They get what nobody else wants. Thresholds four times as high,
   * with which a start took four fifths, made hosts a fifth slower in their first minutes.
   */
  private static final List<String> COMPILERS_LAST =
      List.of("-XX:ThreadPriorityPolicy=1", "-XX:CompilerThreadPriority=10");

  /**
   * Netty looks for buffers that were lost in one of 128 that it gives out, and keeps the stack of
   * each: 2 % of a busy host's time. The tests look.
   */
  private static final String NO_LEAK_DETECTION = "-Dio.netty.leakDetection.level=disabled";

  /** Native code and Unsafe are used by Netty, RocksDB and jnr-ffi, and file descriptors by jnr. */
  private static final List<String> ACCESS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "--add-opens=java.base/java.io=ALL-UNNAMED");

  private final String mainClass;
  private final List<String> enter;

  public Jvm(String mainClass) {
    this(mainClass, List.of());
  }

  /**
   * @param enter the command that runs another one elsewhere, as nsenter(1) does; empty for here
   */
  public Jvm(String mainClass, List<String> enter) {
    this.mainClass = mainClass;
    this.enter = List.copyOf(enter);
  }

  /** A process that serves for long: {@code heap} as -Xmx takes it. */
  public List<String> longRunning(String heap, List<String> arguments) {
    String cache = System.getProperty(CACHE, "");
    List<String> options =
        Files.exists(Path.of(cache)) && !cache.isEmpty()
            ? List.of("-XX:AOTCache=" + cache)
            : List.of();
    return command(options, heap, arguments);
  }

  /** A process from which, when it ends, an ahead-of-time cache for such ones is made. */
  public List<String> recording(Path cache, List<String> arguments) {
    return command(recording(cache), RECORDED_HEAP, arguments);
  }

  /**
   * A command from which, when it ends, an ahead-of-time cache for commands is made.
   *
   * @param options of the JVM, as the launcher gives them
   * @param command main class and arguments
   */
  public static List<String> recordingCommand(
      Path cache, List<String> options, List<String> command) {
    List<String> all = new ArrayList<>(List.of(java()));
    all.addAll(recording(cache));
    all.addAll(options);
    all.addAll(List.of("-cp", System.getProperty("java.class.path")));
    all.addAll(command);
    return all;
  }

  /** What is left out of a cache, some classes of each library, is worth no line. */
  private static List<String> recording(Path cache) {
    return List.of("-XX:AOTCacheOutput=" + cache, "-Xlog:aot=error,cds=error");
  }

  private List<String> command(List<String> options, String heap, List<String> arguments) {
    List<String> command = new ArrayList<>(enter);
    command.add(java());
    command.addAll(options);
    command.add("-Xmx" + heap);
    command.add(DIRECT_MEMORY);
    command.add(COLLECTOR);
    command.add(REGIONS);
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.add("-XX:-UsePerfData");
    command.addAll(COMPILERS_LAST);
    command.add(NO_LEAK_DETECTION);
    command.addAll(ACCESS);
    for (String property : PASSED_ON) {
      String value = System.getProperty(property);
      if (value != null) {
        command.add("-D" + property + "=" + value);
      }
    }
    command.add("-cp");
    command.add(System.getProperty(CLASS_PATH, System.getProperty("java.class.path")));
    command.add(mainClass);
    command.addAll(arguments);
    return command;
  }

  private static String java() {
    return ProcessHandle.current()
        .info()
        .command()
        .orElse(System.getProperty("java.home") + "/bin/java");
  }
}
