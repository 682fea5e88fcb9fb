package org.trefoilfs.replication.statelog.rocks;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * RocksDB's native code, 17 MB. RocksDB's own loader unpacks it at each start to a file of its own
 * in the temporary directory, and a process that is killed leaves that behind. Here it is loaded
 * from where it was unpacked when the program was built or installed, or else from a file that is
 * gone as soon as it is loaded.
 */
public final class RocksLibrary {
  /** The system property that names the directory with the unpacked library. */
  public static final String DIRECTORY = "trefoil.native";

  private static final Logger log = LoggerFactory.getLogger(RocksLibrary.class);

  /** The name in its jar. */
  private static final String PACKED = Environment.getJniLibraryFileName("rocksdb");

  /** The name that {@link RocksDB#loadLibrary(List)} looks for. */
  private static final String UNPACKED = Environment.getJniLibraryFileName("rocksdbjni");

  private RocksLibrary() {}

  /** Before any class of RocksDB's is used; once it is loaded, this does nothing. */
  static void load() {
    String given = System.getProperty(DIRECTORY, "");
    if (!given.isEmpty() && loaded(Path.of(given))) {
      return;
    }
    try {
      Path passing = Files.createTempDirectory("trefoil-native");
      try {
        unpack(passing);
        RocksDB.loadLibrary(List.of(passing.toString()));
      } finally {
        Files.deleteIfExists(passing.resolve(UNPACKED));
        Files.deleteIfExists(passing);
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Whether the library of this very version was there, and fits this machine. */
  private static boolean loaded(Path directory) {
    Path file = directory.resolve(UNPACKED);
    try {
      if (!Files.exists(file) || Files.size(file) != packed().openConnection().getContentLength()) {
        log.info("{} is not RocksDB's native library of this version; unpacking another", file);
        return false;
      }
      RocksDB.loadLibrary(List.of(directory.toString()));
      return true;
    } catch (IOException | UnsatisfiedLinkError e) {
      log.warn("{} cannot be loaded, and is unpacked again: {}", file, e.getMessage());
      return false;
    }
  }

  /**
   * Puts the library into a directory that {@link #DIRECTORY} may name later.
   *
   * @return the file, which replaces an older one at once or not at all
   */
  public static Path unpack(Path directory) {
    Path file = directory.resolve(UNPACKED);
    Path unfinished = directory.resolve(UNPACKED + ".new");
    try (InputStream bytes = packed().openStream()) {
      Files.createDirectories(directory);
      Files.copy(bytes, unfinished, StandardCopyOption.REPLACE_EXISTING);
      return Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private static URL packed() {
    @Nullable URL found = RocksDB.class.getClassLoader().getResource(PACKED);
    if (found == null) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED, "RocksDB has no native library for this machine (" + PACKED + ")");
    }
    return found;
  }

  private static TrefoilException failed(IOException cause) {
    return new TrefoilException(
        Reason.IO,
        "RocksDB's native library could not be unpacked ("
            + cause
            + "); make room in, or give the right to write to, "
            + System.getProperty("java.io.tmpdir"),
        cause);
  }
}
