package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Fills a directory with files of known content until a call fails. */
public final class Filler {
  private static final int FILE_BYTES = 4 << 20;
  private static final int CALL_BYTES = 128 << 10;

  /** Far more than any test's disks hold. */
  private static final int FILES_MAX = 1000;

  private final Path directory;
  private final List<String> complete = new ArrayList<>();
  private long longestNanos;

  public Filler(Path directory) {
    this.directory = directory;
  }

  /** Writes and syncs files until the disk is full; what the call said then. */
  public IOException fill() {
    for (int i = 0; i < FILES_MAX; i++) {
      try {
        write(directory, "file-" + complete.size());
      } catch (IOException e) {
        return e;
      }
    }
    throw new AssertionError("no disk was full after " + FILES_MAX + " files");
  }

  /** Writes and syncs one file. */
  public void write(Path where, String name) throws IOException {
    Random random = new Random(name.hashCode());
    byte[] bytes = new byte[CALL_BYTES];
    try (FileChannel out =
        FileChannel.open(
            where.resolve(name), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (int at = 0; at < FILE_BYTES; at += CALL_BYTES) {
        random.nextBytes(bytes);
        long began = System.nanoTime();
        try {
          writeAll(out, ByteBuffer.wrap(bytes), at);
        } finally {
          longestNanos = Math.max(longestNanos, System.nanoTime() - began);
        }
      }
      out.force(true);
    }
    complete.add(name);
  }

  /** The last write before a full disk is a short one. */
  private static void writeAll(FileChannel out, ByteBuffer bytes, int from) throws IOException {
    for (int at = from; bytes.hasRemaining(); ) {
      at += out.write(bytes, at);
    }
  }

  /** Whether every file that was synced is there, seen from {@code elsewhere}. */
  public void assertIntact(Path elsewhere) throws IOException {
    for (String name : complete) {
      assertIntact(elsewhere, name);
    }
  }

  public static void assertIntact(Path elsewhere, String name) throws IOException {
    byte[] found = Files.readAllBytes(elsewhere.resolve(name));
    Random random = new Random(name.hashCode());
    byte[] expected = new byte[CALL_BYTES];
    for (int at = 0; at < FILE_BYTES; at += CALL_BYTES) {
      random.nextBytes(expected);
      int from = at;
      if (found.length != FILE_BYTES
          || ByteBuffer.wrap(found, from, CALL_BYTES).compareTo(ByteBuffer.wrap(expected)) != 0) {
        throw new AssertionError(name + " differs at " + from + " of " + found.length);
      }
    }
  }

  public void delete(int files) throws IOException {
    for (int i = 0; i < files; i++) {
      Files.delete(directory.resolve(complete.removeLast()));
    }
  }

  public int files() {
    return complete.size();
  }

  public Duration longest() {
    return Duration.ofNanos(longestNanos);
  }
}
