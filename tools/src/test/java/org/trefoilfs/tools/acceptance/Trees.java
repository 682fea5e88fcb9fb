package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** Real trees to copy, and what makes two of them equal. */
final class Trees {
  /**
   * Type, mode, owner, nanosecond time, link target, name; of all but directories also size and
   * links.
   */
  private static final String MANIFEST =
      """
      cd "$1"
      find . ! -type d -printf '%y %m %U %G %T@ %s %n %l %p\\0' -o -printf '%y %m %U %G %T@ %p\\0' |
        LC_ALL=C sort -z | tr '\\0' '\\n'
      """;

  /** Every k-th of the files and symbolic links of this machine, so that all sorts are met. */
  private static final String REAL =
      """
      count=$1 target=$2
      shift 2
      list=$(mktemp)
      find "$@" -xdev \\( -type f -o -type l \\) -size -8192k -print0 2>/dev/null | sort -z >"$list"
      all=$(tr -cd '\\0' <"$list" | wc -c)
      step=$((all / count)); ((step)) || step=1
      mkdir -p "$target"
      awk -v step=$step -v count=$count 'BEGIN { RS = ORS = "\\0" } NR % step == 0 && n++ < count' "$list" |
        rsync -aHAX --from0 --files-from=- / "$target"/
      rm "$list"
      find "$target" \\( -type f -o -type l \\) | wc -l
      """;

  private Trees() {}

  /** Copies that many files of {@code /usr/share} and the Maven repository; returns how many. */
  static int real(Path target, int files) {
    String repository =
        System.getProperty("localRepository", System.getProperty("user.home") + "/.m2/repository");
    Run run =
        Run.script(
            Path.of("/"),
            REAL,
            Integer.toString(files),
            target.toString(),
            "/usr/share",
            repository);
    return Integer.parseInt(run.succeeded().output().strip());
  }

  /** rm -rf: JUnit warns of each symbolic link that leads out of a temporary directory. */
  static void remove(Path tree) {
    Run.in(Path.of("/"), "rm", "-rf", tree.toString());
  }

  /** Adds what real trees rarely hold; see {@code specials.sh}. */
  static void specials(Path target) {
    try {
      Files.createDirectories(target);
      Path script = Files.createTempFile("specials", ".sh");
      try (var in = Trees.class.getResourceAsStream("/acceptance/specials.sh")) {
        Files.write(script, in.readAllBytes());
      }
      Run.in(target, "bash", script.toString()).succeeded();
      Files.delete(script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code cp -a} of what is in {@code source}. */
  static Run copy(Path source, Path target) {
    return Run.in(Path.of("/"), "cp", "-a", source.toString(), target.toString()).succeeded();
  }

  /**
   * Fails with the first differences of contents, attributes or names; returns how long it took.
   */
  static Duration assertEqual(Path source, Path copy) {
    Run rsync =
        Run.in(
                Path.of("/"),
                "rsync",
                "-aHAX",
                "--checksum",
                "--dry-run",
                "--itemize-changes",
                "--delete",
                source + "/",
                copy + "/")
            .succeeded();
    assertThat(rsync.output()).as("rsync: %s against %s", source, copy).isEmpty();
    assertThat(manifest(copy)).as("manifest of %s", copy).isEqualTo(manifest(source));
    return rsync.took();
  }

  /** Files, directories and links in a tree, its top included. */
  static long entries(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      return all.count();
    }
  }

  /** Bytes of disk that a tree takes, holes left out. */
  static long allocated(Path tree) {
    String du = Run.in(Path.of("/"), "du", "-s", "-B1", tree.toString()).succeeded().output();
    return Long.parseLong(du.substring(0, du.indexOf('\t')));
  }

  private static String manifest(Path tree) {
    return Run.script(Path.of("/"), MANIFEST, tree.toString()).succeeded().output();
  }
}
