package org.trefoilfs.replication.statelog.ratis;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.statelog.rocks.Directories;

/**
 * Snapshots: directories {@code sm/snapshot.TERM_INDEX}, each a RocksDB checkpoint. Ratis sends
 * their files to a peer that needs them and, there, replaces {@code sm} as a whole.
 */
final class SnapshotStore implements StateMachineStorage {
  private static final Pattern NAME = Pattern.compile("snapshot\\.(\\d+)_(\\d+)");

  private @Nullable Path directory;
  private @Nullable Path received;
  private volatile @Nullable FileListSnapshotInfo latest;

  private record Stored(Path path, TermIndex at) {}

  @Override
  public void init(RaftStorage storage) throws IOException {
    directory = storage.getStorageDir().getStateMachineDir().toPath();
    received = storage.getStorageDir().getTmpDir().toPath();
    Directories.delete(received);
    try (Stream<Path> entries = Files.list(directory())) {
      for (Path path : entries.toList()) {
        if (!NAME.matcher(path.getFileName().toString()).matches()) {
          Directories.delete(path);
        }
      }
    }
    reload();
  }

  /** Looks again at what is on the disk. */
  void reload() throws IOException {
    List<Stored> stored = newestFirst();
    latest = stored.isEmpty() ? null : describe(stored.getFirst());
  }

  @Override
  public @Nullable FileListSnapshotInfo getLatestSnapshot() {
    return latest;
  }

  Path pathOf(TermIndex at) {
    return directory().resolve("snapshot." + at.getTerm() + "_" + at.getIndex());
  }

  /** Has a checkpoint written and makes it the latest snapshot. */
  void create(TermIndex at, Consumer<Path> checkpoint) throws IOException {
    Path path = pathOf(at);
    Directories.delete(path);
    checkpoint.accept(path);
    Directories.syncParent(path);
    latest = describe(new Stored(path, at));
  }

  /** Makes what was received durable, before Ratis drops the log that it replaces. */
  void syncReceived() throws IOException {
    Path path = received;
    if (path != null && Files.exists(path)) {
      Directories.sync(path);
    }
  }

  void syncInstalled() throws IOException {
    Directories.syncParent(directory());
  }

  @Override
  public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) throws IOException {
    List<Stored> stored = newestFirst();
    int kept = Math.max(1, policy.getNumSnapshotsRetained());
    for (Stored old : stored.subList(Math.min(kept, stored.size()), stored.size())) {
      Directories.delete(old.path());
    }
  }

  @Override
  public void format() {}

  @Override
  public @Nullable File getTmpDir() {
    return received == null ? null : received.toFile();
  }

  private Path directory() {
    if (directory == null) {
      throw new IllegalStateException("snapshots are used before their storage is known");
    }
    return directory;
  }

  private List<Stored> newestFirst() throws IOException {
    List<Stored> stored = new ArrayList<>();
    try (Stream<Path> entries = Files.list(directory())) {
      for (Path path : entries.toList()) {
        Matcher name = NAME.matcher(path.getFileName().toString());
        if (name.matches()) {
          long term = Long.parseLong(name.group(1));
          stored.add(new Stored(path, TermIndex.valueOf(term, Long.parseLong(name.group(2)))));
        }
      }
    }
    stored.sort(Comparator.comparing(Stored::at).reversed());
    return stored;
  }

  /**
   * Without digests: Ratis computes them while it sends, and a snapshot that nobody needs costs no
   * reading.
   */
  private static FileListSnapshotInfo describe(Stored stored) throws IOException {
    List<FileInfo> files = new ArrayList<>();
    for (Path file : Directories.files(stored.path())) {
      if (!file.toString().endsWith(".md5")) {
        files.add(new FileInfo(file, null));
      }
    }
    return new FileListSnapshotInfo(files, stored.at());
  }
}
