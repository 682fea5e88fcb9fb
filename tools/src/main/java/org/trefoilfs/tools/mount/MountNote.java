package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Json;

/**
 * What a daemon notes of a mount that outlives it, for the next one: {@code DIR/kept/HASH.json}.
 * The file is there as long as the mount and its keeper are. Thread-safe.
 */
public final class MountNote {
  private static final String DIRECTORY = "kept";

  /** Attempts to take a mount over, one a second, in the time that a keeper waits by default. */
  private static final int SESSIONS = 512;

  private final Path file;
  private final String mountPoint;
  private final List<Long> sessions = new ArrayList<>();
  private KernelConnection.@Nullable State connection;

  /**
   * @param boot the kernel that has the mount
   * @param sessions that the mount may have served in, the latest last
   */
  record Content(
      String mountPoint, String boot, KernelConnection.State connection, List<Long> sessions) {}

  private MountNote(Path data, Path mountPoint) {
    CRC32C hash = new CRC32C();
    hash.update(mountPoint.toString().getBytes(StandardCharsets.UTF_8));
    file =
        data.resolve(DIRECTORY)
            .resolve(HexFormat.of().toHexDigits((int) hash.getValue()) + ".json");
    this.mountPoint = mountPoint.toString();
  }

  /** Of a mount that is being made. */
  public static MountNote fresh(Path data, Path mountPoint) {
    return new MountNote(data, mountPoint);
  }

  /** Of a mount that an earlier process has left, under the kernel that runs. */
  public static Optional<MountNote> left(Path data, Path mountPoint) {
    MountNote note = new MountNote(data, mountPoint);
    return read(note.file)
        .filter(content -> content.mountPoint().equals(note.mountPoint))
        .map(
            content -> {
              note.connection = content.connection();
              note.sessions.addAll(content.sessions());
              return note;
            });
  }

  /** Sessions of all mounts that an earlier process has left. */
  public static List<Long> sessionsLeft(Path data) {
    List<Long> sessions = new ArrayList<>();
    Path directory = data.resolve(DIRECTORY);
    if (!Files.isDirectory(directory)) {
      return sessions;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
      for (Path file : files) {
        read(file).ifPresent(content -> sessions.addAll(content.sessions()));
      }
      return sessions;
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, directory + ": cannot be read: " + e, e);
    }
  }

  private static Optional<Content> read(Path file) {
    return Json.load(file, Content.class)
        .filter(content -> content.boot().equals(Here.current().boot()));
  }

  /** Ends the keeper of a mount that is not to be served on, whether or not there is one. */
  public static void abandon(Path data, Path mountPoint) {
    left(data, mountPoint).ifPresent(MountNote::abandon);
  }

  public void abandon() {
    connection().ifPresent(KernelConnection::abandon);
    delete();
  }

  public synchronized Optional<KernelConnection.State> connection() {
    return Optional.ofNullable(connection);
  }

  public synchronized List<Long> sessions() {
    return List.copyOf(sessions);
  }

  /** Before the session is known to anybody else: it is not to be forgotten. */
  public synchronized void opening(long session) {
    sessions.add(session);
    if (sessions.size() > SESSIONS) {
      sessions.removeFirst();
    }
    if (connection != null) {
      store(connection);
    }
  }

  /** The mount is kept, and everything of its earlier sessions is the latest one's. */
  public synchronized void kept(KernelConnection.State state) {
    while (sessions.size() > 1) {
      sessions.removeFirst();
    }
    connection = state;
    store(state);
  }

  private void store(KernelConnection.State state) {
    try {
      Files.createDirectories(file.getParent());
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, file.getParent() + ": cannot be created: " + e, e);
    }
    Json.store(file, new Content(mountPoint, Here.current().boot(), state, sessions()));
  }

  /** The mount is gone. */
  public synchronized void delete() {
    connection = null;
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, file + ": cannot be deleted: " + e, e);
    }
  }
}
