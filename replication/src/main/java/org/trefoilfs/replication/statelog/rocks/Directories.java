package org.trefoilfs.replication.statelog.rocks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Whole directories: durable, linked, removed. */
public final class Directories {
  private Directories() {}

  public static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  /** Brings every file and every directory entry below to stable storage. */
  public static void sync(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        syncOne(path);
      }
    }
  }

  public static void syncOne(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Makes the entry of this file or directory durable. */
  public static void syncParent(Path path) throws IOException {
    Path parent = path.toAbsolutePath().getParent();
    if (parent != null) {
      syncOne(parent);
    }
  }

  public static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Hard-links RocksDB's immutable tables, copies the few small files beside them. */
  static void cloneCheckpoint(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    for (Path file : files(from)) {
      String name = from.relativize(file).toString();
      if (name.endsWith(".sst")) {
        Files.createLink(to.resolve(name), file);
      } else if (!name.endsWith(".md5")) {
        Files.copy(file, to.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    sync(to);
  }
}
