package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Files that a program has written and not synced when all replicas lose power, through a mount
 * that outlives them. What fsync(2) does not fail afterwards must be there.
 */
final class UnsyncedFiles implements AutoCloseable {
  private static final int FILES = 20;
  private static final int BYTES = 10_000;

  private final Path directory;
  private final List<FileChannel> files = new ArrayList<>();

  UnsyncedFiles(Path directory) throws IOException {
    this.directory = Files.createDirectory(directory);
    for (int number = 0; number < FILES; number++) {
      files.add(
          FileChannel.open(
              path(directory, number), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    }
  }

  private static Path path(Path directory, int number) {
    return directory.resolve("file-" + number);
  }

  void write() throws IOException {
    for (int number = 0; number < FILES; number++) {
      write(number);
    }
  }

  private void write(int number) throws IOException {
    ByteBuffer content = ByteBuffer.wrap(content(number));
    while (content.hasRemaining()) {
      files.get(number).write(content, content.position());
    }
  }

  private static byte[] content(int number) {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) (number + 1));
    return bytes;
  }

  /**
   * Syncs each, and writes it again where that fails; then all must be there.
   *
   * @param elsewhere the same directory at another mount
   * @return of how many fsync(2) said that they were gone
   */
  int syncAndCheck(Path elsewhere) throws IOException {
    int gone = 0;
    for (int number = 0; number < FILES; number++) {
      if (!isSynced(number)) {
        gone++;
        assertThat(isSynced(number))
            .as("fsync(2) fails once: %s", path(directory, number))
            .isTrue();
        write(number);
        assertThat(isSynced(number)).isTrue();
      }
      assertThat(path(elsewhere, number)).hasBinaryContent(content(number));
    }
    return gone;
  }

  private boolean isSynced(int number) {
    try {
      files.get(number).force(true);
      return true;
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("Input/output error");
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    for (FileChannel file : files) {
      file.close();
    }
  }
}
