package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Inserts rows into a database on a mount, each in a transaction, and notes what is committed. */
final class SqliteWriter implements AutoCloseable {
  private static final Duration END = Duration.ofMinutes(3);

  /** EXTRA syncs the directory, too, after the rollback journal was deleted: that is the commit. */
  private static final String INSERTING =
      """
      mkdir "$1"
      cd "$1"
      sqlite3 db 'create table t (n integer primary key, v text)'
      for ((n = 1; ; n++)); do
        test ! -e "$2" || exit 0
        sqlite3 db "pragma synchronous=extra; insert into t values ($n, hex(randomblob(200)))"
        echo $n
      done
      """;

  private final Process process;
  private final Path output;
  private final Path enough;

  private SqliteWriter(Process process, Path output, Path enough) {
    this.process = process;
    this.output = output;
    this.enough = enough;
  }

  /**
   * @param directory of the mount; it is made
   */
  static SqliteWriter start(Path directory) {
    try {
      Path output = Files.createTempFile("sqlite", ".out");
      Path enough = output.resolveSibling(output.getFileName() + ".enough");
      Process process =
          new ProcessBuilder(
                  "bash",
                  "-euc",
                  INSERTING,
                  "sqlite-writer",
                  directory.toString(),
                  enough.toString())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      return new SqliteWriter(process, output, enough);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The last row that was committed. */
  int committed() {
    try {
      return Files.readString(output)
          .lines()
          .filter(line -> line.matches("\\d+"))
          .mapToInt(Integer::parseInt)
          .max()
          .orElse(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it; whether no call of it had failed. */
  boolean stop() throws IOException, InterruptedException {
    Files.createFile(enough);
    assertThat(process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)).as("sqlite ends").isTrue();
    return process.exitValue() == 0;
  }

  /**
   * That the database is whole, and holds every row from the first to at least this one. The lock
   * of a writer whose host died is free once its session has ended: until then sqlite waits.
   */
  static void check(Path directory, int committed) {
    String answer =
        Run.in(
                directory,
                "sqlite3",
                "-cmd",
                ".timeout 60000",
                "db",
                "pragma integrity_check; select count(*) = max(n), max(n) >= "
                    + committed
                    + " from t")
            .succeeded()
            .output();
    assertThat(answer)
        .as("%d rows were committed in %s", committed, directory)
        .isEqualTo("ok\n1|1\n");
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
