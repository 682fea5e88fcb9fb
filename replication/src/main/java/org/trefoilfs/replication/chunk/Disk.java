package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What journal and chunk store ask of the disk beyond bytes; tests make it fail. */
public interface Disk {
  /** The machine's own. */
  Disk REAL = new Disk() {};

  /** fdatasync: the file's bytes and its length. */
  default void force(FileChannel file) throws IOException {
    file.force(false);
  }

  /** fsync of a directory: the names in it. */
  default void forceDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** NO_SPACE for a full disk or quota, IO for everything else. */
  static TrefoilException failure(String what, IOException cause) {
    if (isFull(cause)) {
      return new TrefoilException(
          Reason.NO_SPACE, what + ": the disk is full; delete files or add space", cause);
    }
    return new TrefoilException(
        Reason.IO, what + ": " + cause + "; check the disk and the kernel log", cause);
  }

  /** The JDK gives errno as its text alone (ENOSPC, EDQUOT of glibc and musl, C locale). */
  static boolean isFull(IOException failure) {
    String text = String.valueOf(failure.getMessage());
    return text.contains("No space left") || text.contains("uota exceeded");
  }
}
