package org.trefoilfs.tools.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.admin.Json;

/** What a disk that lost power has kept. */
final class PowerDisksTest {
  private static final int BYTES = 100_000;

  @TempDir Path directory;
  private PowerDisks disks;
  private Path disk;

  @BeforeEach
  void mount() throws IOException {
    disks = new PowerDisks(directory);
    disk = directory.resolve("disk");
    disks.mount(disk, 64);
  }

  @AfterEach
  void unmount() {
    disks.close();
  }

  @Test
  void whatWasSyncedIsKeptAndWhatWasNotIsForgotten() throws IOException {
    try (FileChannel overwritten = open("overwritten");
        FileChannel unsynced = open("unsynced");
        FileChannel synced = open("synced")) {
      write(overwritten, 'a');
      overwritten.force(false);
      write(overwritten, 'b');
      write(unsynced, 'c');
      write(synced, 'd');
      synced.force(false);
    }
    losePower();
    assertHolds("overwritten", 'a');
    assertHolds("synced", 'd');
    assertThat(disk.resolve("unsynced"))
        .as("its name came with the transaction of the synced file")
        .isEmptyFile();
  }

  @Test
  void nameIsForgottenUntilSomethingIsSynced() throws IOException {
    try (FileChannel unsynced = open("unsynced")) {
      write(unsynced, 'a');
    }
    losePower();
    assertThat(disk.resolve("unsynced")).doesNotExist();
  }

  @Test
  void fileThatWasRenamedOverAnotherWithoutBeingSyncedIsEmpty() throws IOException {
    Files.writeString(disk.resolve("file"), "old");
    Files.writeString(disk.resolve("new"), "new");
    Files.move(disk.resolve("new"), disk.resolve("file"), StandardCopyOption.ATOMIC_MOVE);
    sync(disk);
    losePower();
    assertThat(disk.resolve("file")).isEmptyFile();
  }

  @Test
  void storedSettingsAreTheOldOnesOrTheNew() throws IOException {
    Path file = disk.resolve("settings.json");
    Json.store(file, "old");
    Json.store(file, "new");
    losePower();
    assertThat(Json.load(file, String.class)).contains("new");
  }

  private void losePower() {
    PowerDisks.cut(disk);
    disks.restore(disk);
  }

  private FileChannel open(String name) throws IOException {
    return FileChannel.open(
        disk.resolve(name), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static void write(FileChannel file, char content) throws IOException {
    file.write(ByteBuffer.wrap(bytes(content)), 0);
  }

  private static byte[] bytes(char content) {
    return Character.toString(content).repeat(BYTES).getBytes();
  }

  private void assertHolds(String name, char content) {
    assertThat(disk.resolve(name)).hasBinaryContent(bytes(content));
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
