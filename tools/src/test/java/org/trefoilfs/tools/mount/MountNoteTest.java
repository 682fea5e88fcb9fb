package org.trefoilfs.tools.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;

class MountNoteTest {
  private static final KernelConnection.State STATE =
      new KernelConnection.State("0:57", 36, 1 << 20, new ProcessId(1 << 30, 7));

  @TempDir Path data;
  private final Path mountPoint = Path.of("/mnt/work");

  @Test
  void nextDaemonFindsKeeperProtocolAndSessions() {
    MountNote note = MountNote.fresh(data, mountPoint);
    note.opening(11);
    assertThat(MountNote.left(data, mountPoint)).as("not kept yet").isEmpty();
    note.kept(STATE);

    MountNote left = MountNote.left(data, mountPoint).orElseThrow();
    assertThat(left.connection()).contains(STATE);
    assertThat(left.sessions()).containsExactly(11L);
    assertThat(MountNote.left(data, Path.of("/mnt/other"))).isEmpty();
  }

  @Test
  void sessionsOfCutTakeOversAreKnownUntilOneHasSucceeded() {
    MountNote note = MountNote.fresh(data, mountPoint);
    note.opening(11);
    note.kept(STATE);
    MountNote.left(data, mountPoint).orElseThrow().opening(12);
    MountNote third = MountNote.left(data, mountPoint).orElseThrow();
    third.opening(13);
    assertThat(MountNote.sessionsLeft(data)).containsExactly(11L, 12L, 13L);
    third.kept(STATE);
    assertThat(MountNote.sessionsLeft(data)).containsExactly(13L);
  }

  @Test
  void nothingIsLeftOfAMountThatIsGoneOrOfAnotherBoot() throws Exception {
    MountNote note = MountNote.fresh(data, mountPoint);
    note.opening(11);
    note.kept(STATE);
    Path file;
    try (Stream<Path> files = Files.list(data.resolve("kept"))) {
      file = files.toList().getFirst();
    }
    String content = Files.readString(file);
    Files.writeString(file, content.replace(Here.current().boot(), "another"));
    assertThat(MountNote.left(data, mountPoint)).isEmpty();
    assertThat(MountNote.sessionsLeft(data)).isEqualTo(List.of());

    Files.writeString(file, content);
    MountNote.abandon(data, mountPoint);
    assertThat(file).as("its keeper had gone already").doesNotExist();
  }
}
