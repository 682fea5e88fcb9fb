package org.trefoilfs.tools.coherence;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The objects of a directory that programs on several mounts share, and what they do to them. */
final class Objects {
  private static final int BLOCK = 4096;
  private static final int BLOCKS = 3;

  private final AtomicLong values = new AtomicLong();
  private final List<ObjectHistory> names = histories("name", 4, ObjectHistory.ABSENT);
  private final List<ObjectHistory> sizes = histories("size", 2, 0);
  private final List<ObjectHistory> times = histories("time", 2, 0);
  private final List<List<ObjectHistory>> blocks =
      List.of(histories("data0", BLOCKS, 0), histories("data1", BLOCKS, 0));

  private static List<ObjectHistory> histories(String kind, int count, long initial) {
    return IntStream.range(0, count).mapToObj(i -> new ObjectHistory(kind + i, initial)).toList();
  }

  Stream<ObjectHistory> all() {
    return Stream.concat(
        Stream.of(names, sizes, times).flatMap(List::stream),
        blocks.stream().flatMap(List::stream));
  }

  /** Makes the files that are always there, with their initial values. */
  void create(Path directory) throws IOException {
    for (int file = 0; file < blocks.size(); file++) {
      Files.write(directory.resolve("data" + file), new byte[BLOCK * BLOCKS]);
    }
    for (int file = 0; file < sizes.size(); file++) {
      Files.createFile(directory.resolve("size" + file));
    }
    for (int file = 0; file < times.size(); file++) {
      Path path = Files.createFile(directory.resolve("time" + file));
      Files.setLastModifiedTime(path, FileTime.fromMillis(0));
    }
  }

  /** Somebody who uses them through a mount. */
  final class User {
    private final Path directory;
    private final String name;
    private final Random random;
    private final List<FileChannel> kept = new ArrayList<>();

    User(Path directory, String name, long seed) {
      this.directory = directory;
      this.name = name;
      this.random = new Random(seed);
    }

    /** One operation on one object. */
    void act() throws IOException {
      switch (random.nextInt(8)) {
        case 0, 1, 2 -> block();
        case 3 -> size();
        case 4 -> time();
        default -> name();
      }
    }

    private void block() throws IOException {
      int file = random.nextInt(blocks.size());
      int block = random.nextInt(BLOCKS);
      ObjectHistory history = blocks.get(file).get(block);
      if (random.nextBoolean()) {
        access(keptOpen(file), history, block);
      } else {
        try (FileChannel channel = FileChannel.open(data(file), READ, WRITE)) {
          access(channel, history, block);
        }
      }
    }

    private FileChannel keptOpen(int file) throws IOException {
      while (kept.size() <= file) {
        kept.add(FileChannel.open(data(kept.size()), READ, WRITE));
      }
      return kept.get(file);
    }

    private Path data(int file) {
      return directory.resolve("data" + file);
    }

    private void access(FileChannel channel, ObjectHistory history, int block) throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
      long at = (long) block * BLOCK;
      if (random.nextInt(3) == 0) {
        long value = values.incrementAndGet();
        while (buffer.hasRemaining()) {
          buffer.putLong(value);
        }
        buffer.flip();
        ObjectHistory.Call call = history.begin(name);
        check(channel.write(buffer, at) == BLOCK, "a short write");
        call.wrote(value);
      } else {
        ObjectHistory.Call call = history.begin(name);
        check(channel.read(buffer, at) == BLOCK, "a short read");
        long value = buffer.flip().getLong();
        call.read(value);
        while (buffer.hasRemaining()) {
          check(buffer.getLong() == value, "half of a block is another");
        }
      }
    }

    private void check(boolean holds, String otherwise) {
      if (!holds) {
        throw new AssertionError(name + ": " + otherwise);
      }
    }

    private void size() throws IOException {
      int file = random.nextInt(sizes.size());
      Path path = directory.resolve("size" + file);
      if (random.nextInt(3) == 0) {
        try (RandomAccessFile open = new RandomAccessFile(path.toFile(), "rw")) {
          long value = values.incrementAndGet();
          ObjectHistory.Call call = sizes.get(file).begin(name);
          open.setLength(value);
          call.wrote(value);
        }
      } else {
        ObjectHistory.Call call = sizes.get(file).begin(name);
        call.read(Files.size(path));
      }
    }

    private void time() throws IOException {
      int file = random.nextInt(times.size());
      Path path = directory.resolve("time" + file);
      if (random.nextInt(3) == 0) {
        long value = values.incrementAndGet();
        ObjectHistory.Call call = times.get(file).begin(name);
        Files.setLastModifiedTime(path, FileTime.fromMillis(value));
        call.wrote(value);
      } else {
        ObjectHistory.Call call = times.get(file).begin(name);
        call.read(Files.getLastModifiedTime(path).toMillis());
      }
    }

    private void name() throws IOException {
      int number = random.nextInt(names.size());
      Path path = directory.resolve("name" + number);
      ObjectHistory history = names.get(number);
      switch (random.nextInt(10)) {
        case 0 -> replace(path, history);
        case 1 -> link(path, history);
        case 2 -> remove(path, history);
        case 3 -> take(path, history);
        default -> look(path, history);
      }
    }

    private void look(Path path, ObjectHistory history) throws IOException {
      ObjectHistory.Call call = history.begin(name);
      try {
        call.read(inode(path));
      } catch (NoSuchFileException none) {
        call.read(ObjectHistory.ABSENT);
      }
    }

    private void replace(Path path, ObjectHistory history) throws IOException {
      Path own = Files.createFile(own());
      long inode = inode(own);
      ObjectHistory.Call call = history.begin(name);
      Files.move(own, path, StandardCopyOption.ATOMIC_MOVE);
      call.wrote(inode);
    }

    private void link(Path path, ObjectHistory history) throws IOException {
      Path own = Files.createFile(own());
      long inode = inode(own);
      ObjectHistory.Call call = history.begin(name);
      try {
        Files.createLink(path, own);
        call.created(inode);
      } catch (FileAlreadyExistsException there) {
        call.foundPresent();
      }
      Files.delete(own);
    }

    private void remove(Path path, ObjectHistory history) throws IOException {
      ObjectHistory.Call call = history.begin(name);
      try {
        Files.delete(path);
        call.removed();
      } catch (NoSuchFileException none) {
        call.read(ObjectHistory.ABSENT);
      }
    }

    private void take(Path path, ObjectHistory history) throws IOException {
      Path own = own();
      ObjectHistory.Call call = history.begin(name);
      try {
        Files.move(path, own, StandardCopyOption.ATOMIC_MOVE);
      } catch (NoSuchFileException none) {
        call.read(ObjectHistory.ABSENT);
        return;
      }
      call.taken(inode(own));
      Files.delete(own);
    }

    private Path own() {
      return directory.resolve("own-" + name + "-" + values.incrementAndGet());
    }

    private static long inode(Path path) throws IOException {
      return (Long) Files.getAttribute(path, "unix:ino");
    }

    void close() throws IOException {
      for (FileChannel channel : kept) {
        channel.close();
      }
    }
  }
}
