package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * Writes to a mount until it fails or is told to stop, and prints what was acknowledged, one line
 * each, after the acknowledgement. Three kinds in turn:
 *
 * <pre>
 *   block N S     block N of the file "blocks" holds S and was synced; S grows
 *   append L      the file "log" is L bytes long, and was synced; byte i is i mod 251
 *   file K        "file-K" was written, synced, and renamed from "new-K"
 * </pre>
 *
 * With {@link Names#SYNCED} the directories were synced, too: then all that is said survives a loss
 * of power in either commit mode.
 */
public final class AcknowledgedWriter {
  private static final int BLOCK = 4096;
  private static final int BLOCKS = 3000;
  private static final int FILE_BYTES = 10_000;

  private final Path directory;
  private final Random random;
  private final Names names;

  private enum Names {
    COMMITTED,
    SYNCED
  }

  private AcknowledgedWriter(Path directory, long seed, Names names) {
    this.directory = directory;
    this.random = new Random(seed);
    this.names = names;
  }

  static Companion start(Path directory, long seed) {
    return start(directory, seed, Names.COMMITTED);
  }

  static Companion startSyncingNames(Path directory, long seed) {
    return start(directory, seed, Names.SYNCED);
  }

  private static Companion start(Path directory, long seed, Names names) {
    return Companion.start(
        AcknowledgedWriter.class, directory.toString(), Long.toString(seed), names.name());
  }

  /** Arguments: a directory of the mount, which is created, a seed, and {@link Names}. */
  public static void main(String[] arguments) throws IOException {
    Companion.Until until = Companion.Until.inputEnds();
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    long seed = Long.parseLong(arguments[1]);
    new AcknowledgedWriter(directory, seed, Names.valueOf(arguments[2])).write(until);
    System.exit(0);
  }

  private void write(Companion.Until until) throws IOException {
    try (FileChannel blocks = open("blocks");
        FileChannel log = open("log")) {
      syncNames(directory.getParent());
      syncNames(directory);
      long length = 0;
      for (int i = 1; !until.isOver(); i++) {
        int block = random.nextInt(BLOCKS);
        writeAll(blocks, block(i), (long) block * BLOCK);
        blocks.force(false);
        say("block " + block + " " + i);
        ByteBuffer more = pattern(length, 1 + random.nextInt(20_000));
        length += more.remaining();
        writeAll(log, more, length - more.remaining());
        log.force(false);
        say("append " + length);
        writeFile(i);
        say("file " + i);
        Companion.think();
      }
    }
  }

  private void writeFile(int number) throws IOException {
    try (FileChannel file = open("new-" + number)) {
      writeAll(file, pattern(number, FILE_BYTES), 0);
      file.force(true);
    }
    Files.move(directory.resolve("new-" + number), directory.resolve("file-" + number));
    syncNames(directory);
  }

  private void syncNames(Path changed) throws IOException {
    if (names == Names.SYNCED) {
      try (FileChannel channel = FileChannel.open(changed, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private FileChannel open(String name) throws IOException {
    return FileChannel.open(
        directory.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  private static void writeAll(FileChannel channel, ByteBuffer data, long at) throws IOException {
    ByteBuffer left = data.duplicate();
    while (left.hasRemaining()) {
      channel.write(left, at + left.position());
    }
  }

  private static void say(String line) {
    System.out.println(line);
  }

  private static ByteBuffer block(long value) {
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    while (block.hasRemaining()) {
      block.putLong(value);
    }
    return block.flip();
  }

  private static ByteBuffer pattern(long from, int length) {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    for (int i = 0; i < length; i++) {
      bytes.put((byte) ((from + i) % 251));
    }
    return bytes.flip();
  }

  // ---- in the test

  /**
   * Checks that everything acknowledged is in the directory, seen through any mount.
   *
   * @return how many acknowledgements there were
   */
  static int check(Path directory, String printed) throws IOException {
    Map<Integer, Long> blocks = new HashMap<>();
    long length = 0;
    int count = 0;
    for (String line : complete(printed)) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "block" -> blocks.put(Integer.parseInt(words[1]), Long.parseLong(words[2]));
        case "append" -> length = Long.parseLong(words[1]);
        case "file" -> checkFile(directory, Integer.parseInt(words[1]));
        default -> {
          return check(directory, blocks, length, count);
        }
      }
      count++;
    }
    return check(directory, blocks, length, count);
  }

  /** The program may have been ended in the middle of a line. */
  private static Iterable<String> complete(String printed) {
    return printed.substring(0, printed.lastIndexOf('\n') + 1).lines().toList();
  }

  private static int check(Path directory, Map<Integer, Long> blocks, long length, int count)
      throws IOException {
    checkBlocks(directory.resolve("blocks"), blocks);
    checkPattern(directory.resolve("log"), 0, length);
    return count;
  }

  private static void checkFile(Path directory, int number) throws IOException {
    Path file = directory.resolve("file-" + number);
    if (Files.size(file) != FILE_BYTES) {
      throw new AssertionError(file + " has " + Files.size(file) + " bytes");
    }
    checkPattern(file, number, FILE_BYTES);
  }

  private static void checkPattern(Path file, long from, long length) throws IOException {
    byte[] found = Files.readAllBytes(file);
    if (found.length < length) {
      throw new AssertionError(file + " has " + found.length + " bytes, not " + length);
    }
    for (int i = 0; i < length; i++) {
      if (found[i] != (byte) ((from + i) % 251)) {
        throw new AssertionError(file + " differs at byte " + i + " of " + length);
      }
    }
  }

  /** A block holds what was acknowledged last, or what was being written when all ended. */
  private static void checkBlocks(Path file, Map<Integer, Long> blocks) throws IOException {
    ByteBuffer found = ByteBuffer.wrap(Files.readAllBytes(file));
    for (Map.Entry<Integer, Long> each : blocks.entrySet()) {
      int at = each.getKey() * BLOCK;
      for (int i = 0; i < BLOCK; i += Long.BYTES) {
        if (found.getLong(at + i) < each.getValue()) {
          throw new AssertionError(
              file
                  + " block "
                  + each.getKey()
                  + " holds "
                  + found.getLong(at + i)
                  + " at byte "
                  + i
                  + ", acknowledged was "
                  + each.getValue());
        }
      }
    }
  }
}
