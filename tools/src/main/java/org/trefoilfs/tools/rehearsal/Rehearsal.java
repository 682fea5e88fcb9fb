package org.trefoilfs.tools.rehearsal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.statelog.rocks.RocksLibrary;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.library.TrefoilLibrary;

/**
 * Makes what lets the program start quickly, in the directory that it is run from: the native
 * library, unpacked, and the JVM's ahead-of-time caches (JEP 483, 514 and 515) of daemons and of
 * commands: classes loaded and linked, and methods profiled, in processes that play {@link Play}
 * and ask a host for its status.
 *
 * <p>A cache belongs to one JDK and one class path; the JVM ignores one that does not fit.
 */
public final class Rehearsal {
  /** What {@link Jvm} and the launcher look for. */
  private static final String OF_DAEMONS = "trefoil.aot";

  private static final String OF_COMMANDS = "command.aot";
  private static final String NATIVE = "native";

  private static final String PLAY = "--play";
  private static final int FIRST_PORT = 28_440;

  private Rehearsal() {}

  /**
   * Arguments: the directory, and the options of the JVM that commands are run with. With {@link
   * #PLAY} and a directory for its hosts, this is the process that is recorded.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments[0].equals(PLAY)) {
      new Play(Path.of(arguments[1])).run();
      // Threads of libraries must not keep the process alive: its end is when the cache is made.
      System.exit(0);
    }
    Path directory = Path.of(arguments[0]).toAbsolutePath();
    RocksLibrary.unpack(directory.resolve(NATIVE));
    System.setProperty(RocksLibrary.DIRECTORY, directory.resolve(NATIVE).toString());
    Path root = Files.createTempDirectory("trefoil-rehearsal");
    try {
      recordDaemons(directory.resolve(OF_DAEMONS), root);
      System.setProperty(Jvm.CACHE, directory.resolve(OF_DAEMONS).toString());
      recordCommand(
          directory.resolve(OF_COMMANDS),
          Files.createDirectory(root.resolve("command")),
          List.of(arguments).subList(1, arguments.length));
    } finally {
      delete(root);
    }
  }

  private static void recordDaemons(Path cache, Path root)
      throws IOException, InterruptedException {
    LeftMount.make(root, address(Play.FIRST_PORT));
    Jvm jvm = new Jvm(Rehearsal.class.getName());
    record(cache, unfinished -> jvm.recording(unfinished, List.of(PLAY, root.toString())));
  }

  /** A host runs, from the cache that was made just now, and is asked how it is. */
  private static void recordCommand(Path cache, Path data, List<String> options)
      throws IOException, InterruptedException {
    DaemonProcess daemons =
        new DaemonProcess(new TrefoilLibrary(), new Jvm(Trefoil.class.getName()));
    try {
      daemons.detach(
          HostConfig.empty()
              .with(Key.DATA, data.toString())
              .with(Key.NAME, "rehearsal")
              .with(Key.LISTEN, address(FIRST_PORT).toString()));
      List<String> status = List.of(Trefoil.class.getName(), "status", "--data=" + data);
      record(cache, unfinished -> Jvm.recordingCommand(unfinished, options, status));
    } finally {
      daemons.stop(data);
    }
  }

  private static Address address(int first) {
    return new Address("127.0.0.1", Ports.free(1, first).getFirst());
  }

  /** Under another name first: a cache that is cut off is never used. */
  private static void record(Path cache, Function<Path, List<String>> recording)
      throws IOException, InterruptedException {
    Path unfinished = cache.resolveSibling(cache.getFileName() + ".new");
    List<String> command = recording.apply(unfinished);
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0 || !Files.exists(unfinished)) {
      throw new IOException(
          "no ahead-of-time cache was made: " + command + " ended with " + status);
    }
    Files.move(unfinished, cache, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
