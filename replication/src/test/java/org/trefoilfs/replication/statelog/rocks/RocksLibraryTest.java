package org.trefoilfs.replication.statelog.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each in a process of its own, for a process loads the library once. */
@Timeout(60)
final class RocksLibraryTest {
  @TempDir Path directory;

  /** Opens a store, says where the library was loaded from, and ends as a killed process does. */
  static final class Opener {
    private Opener() {}

    public static void main(String[] arguments) throws IOException {
      RocksState.open(Path.of(arguments[0])).close();
      try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
        System.out.println(maps.filter(line -> line.contains("rocksdbjni")).findFirst().orElse(""));
      }
      System.out.flush();
      Runtime.getRuntime().halt(9);
    }
  }

  @Test
  void aKilledProcessLeavesNoLibraryBehind() throws Exception {
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    assertThat(open(temporary, directory.resolve("none"))).contains(temporary.toString());
    try (Stream<Path> left = Files.list(temporary)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void whatWasUnpackedOnceIsLoadedFromThere() throws Exception {
    Path unpacked = RocksLibrary.unpack(directory.resolve("native")).getParent();
    assertThat(open(Files.createDirectory(directory.resolve("tmp")), unpacked))
        .contains(unpacked.toString());
  }

  @Test
  void aLibraryOfAnotherVersionIsPassedOver() throws Exception {
    Path unpacked = RocksLibrary.unpack(directory.resolve("native"));
    Files.write(unpacked, new byte[] {1, 2, 3});
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    assertThat(open(temporary, unpacked.getParent())).contains(temporary.toString());
  }

  private String open(Path temporary, Path unpacked) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                List.of(
                    System.getProperty("java.home") + "/bin/java",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Djava.io.tmpdir=" + temporary,
                    "-XX:-UsePerfData",
                    "-D" + RocksLibrary.DIRECTORY + "=" + unpacked,
                    "-cp",
                    System.getProperty("java.class.path"),
                    Opener.class.getName(),
                    directory.resolve("store").toString()))
            .redirectError(directory.resolve("err").toFile())
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(directory.resolve("err"))).isEqualTo(9);
    return said;
  }
}
