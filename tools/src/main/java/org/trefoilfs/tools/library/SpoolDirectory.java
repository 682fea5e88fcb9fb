package org.trefoilfs.tools.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.SpoolFiles;
import org.trefoilfs.replication.spool.SpooledWrite;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.mount.Here;

/**
 * A mount's spool in its host's data directory.
 *
 * <pre>
 *  DIR/spool/SESSION/mount.json, spool-*     what a mount has not shipped yet
 *  DIR/lost/SESSION/mount.json, spool-*      what a mount that was evicted will never ship
 * </pre>
 */
final class SpoolDirectory {
  private static final String ABOUT = "mount.json";

  private final Path data;
  private final Path path;

  /**
   * Which mount it was.
   *
   * @param sessions that may hold its write leases, the latest last
   * @param boot the kernel that ran: with another, the files may lack what was written last
   */
  record About(List<Long> sessions, int volumeId, String volume, String mountPoint, String boot) {
    About with(long session) {
      List<Long> all = new ArrayList<>(sessions);
      all.add(session);
      return new About(all, volumeId, volume, mountPoint, boot);
    }
  }

  private SpoolDirectory(Path data, Path path) {
    this.data = data;
    this.path = path;
  }

  static SpoolDirectory create(Path data, long session, VolumeInfo volume, String mountPoint) {
    SpoolDirectory directory = new SpoolDirectory(data, spools(data).resolve(name(session)));
    try {
      Files.createDirectories(directory.path);
    } catch (IOException e) {
      throw directory.failure("cannot be created", e);
    }
    directory.describe(
        new About(List.of(session), volume.id(), volume.name(), mountPoint, Here.current().boot()));
    return directory;
  }

  /** What mounts of an earlier process have left. */
  static List<SpoolDirectory> leftIn(Path data) {
    return list(data, spools(data));
  }

  /** What was lost and is kept. */
  static List<SpoolDirectory> lostIn(Path data) {
    return list(data, data.resolve("lost"));
  }

  private static List<SpoolDirectory> list(Path data, Path parent) {
    if (!Files.isDirectory(parent)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(parent)) {
      return children
          .filter(child -> Files.exists(child.resolve(ABOUT)))
          .sorted()
          .map(child -> new SpoolDirectory(data, child))
          .toList();
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, parent + ": cannot be read: " + e, e);
    }
  }

  private static Path spools(Path data) {
    return data.resolve("spool");
  }

  private static String name(long session) {
    return "%016x".formatted(session);
  }

  String id() {
    return path.getFileName().toString();
  }

  Path path() {
    return path;
  }

  Optional<About> about() {
    return Json.load(path.resolve(ABOUT), About.class);
  }

  void describe(About about) {
    Json.store(path.resolve(ABOUT), about);
  }

  SpoolFiles open() {
    return SpoolFiles.open(path);
  }

  /** What it holds and was not shipped, in order. */
  List<SpooledWrite> read() {
    return SpoolFiles.read(path);
  }

  boolean isOfThisBoot() {
    return about().filter(about -> about.boot().equals(Here.current().boot())).isPresent();
  }

  /** Nothing in it is needed any more. */
  void delete() {
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw failure("cannot be deleted", e);
    }
  }

  /** It will never be shipped: kept for export. */
  SpoolDirectory lost() {
    Path kept = data.resolve("lost").resolve(path.getFileName());
    try {
      Files.createDirectories(kept.getParent());
      Files.move(path, kept);
    } catch (IOException e) {
      throw failure("cannot be moved to " + kept, e);
    }
    return new SpoolDirectory(data, kept);
  }

  private TrefoilException failure(String what, IOException e) {
    return new TrefoilException(Reason.IO, "spool " + path + ": " + what + ": " + e, e);
  }
}
