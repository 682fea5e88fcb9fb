package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A program that works on a mount until it is told to stop, or until a call of it fails. */
final class Workload implements AutoCloseable {
  private static final long END_S = 60;

  private final String name;
  private final Process process;
  private final Path output;
  private final Path enough;

  private Workload(String name, Process process, Path output) {
    this.name = name;
    this.process = process;
    this.output = output;
    this.enough = enough(output);
  }

  private static Path enough(Path output) {
    return output.resolveSibling(output.getFileName() + ".enough");
  }

  /**
   * @param script of bash, run again and again in the directory; it finds its round in {@code $n}
   */
  static Workload start(String name, Path directory, String script) {
    try {
      Path output = Files.createTempFile(name, ".out");
      String loop = "for ((n = 1; ; n++)); do test ! -e \"$1\" || exit 0\n" + script + "\ndone";
      Process process =
          new ProcessBuilder("bash", "-euc", loop, name, enough(output).toString())
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      return new Workload(name, process, output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it; no call of it has failed. */
  void stop() throws IOException, InterruptedException {
    Files.createFile(enough);
    boolean ended = process.waitFor(END_S, TimeUnit.SECONDS);
    assertThat(ended).as("%s ends; it does: %s", name, ended ? "" : hanging()).isTrue();
    assertThat(process.exitValue()).as("%s: %s", name, Files.readString(output)).isZero();
  }

  /** The programs that run, and where in the kernel each of them waits. */
  private String hanging() {
    return process
        .descendants()
        .map(one -> one.info().commandLine().orElse("?") + " in " + waitsIn(one.pid()))
        .collect(Collectors.joining("; "));
  }

  private static String waitsIn(long pid) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "wchan"));
    } catch (IOException gone) {
      return "no process";
    }
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      Files.deleteIfExists(output);
      Files.deleteIfExists(enough);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
