package org.trefoilfs.replication.spool;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Disk;

/**
 * A spool in files, for the page cache to keep when the process is killed. Nothing is synced: a
 * loss of power is the mounting host's death, whose loss is the window.
 *
 * <pre>
 *  spool-0000000001
 *  +-----------+-----------+---------+---------------------------+
 *  | length(4) | crc32c(4) | kind(1) | ...                       | next record ...
 *  +-----------+-----------+---------+---------------------------+
 *  kind 1, a write          : number(8) inode(8) offset(8) wallNanos(8) clearsSetId(1) data
 *  kind 2, shipped up to    : number(8)
 * </pre>
 *
 * Length and checksum count from the kind on. A file goes as soon as all its writes are shipped,
 * mostly before the kernel has put it on the disk.
 */
public final class SpoolFiles implements SpoolStore {
  private static final String NAME = "spool-";
  private static final int PREFIX = 8;
  private static final int WRITE_HEAD = 34;
  private static final int SHIPPED_LENGTH = 9;
  private static final int LONGEST = 64 << 20;
  private static final byte WRITE = 1;
  private static final byte SHIPPED = 2;

  private final Path directory;
  private final long fileBytes;

  /** Files that are not written to any more, the oldest first. */
  private final ArrayDeque<Segment> full = new ArrayDeque<>();

  private @Nullable Segment current;
  private @Nullable FileChannel channel;
  private long sequence;

  private static final class Segment {
    final Path path;
    long size;

    /** The last write in it; 0 while there is none. */
    long last;

    Segment(Path path) {
      this.path = path;
    }
  }

  private SpoolFiles(Path directory, long fileBytes) {
    this.directory = directory;
    this.fileBytes = fileBytes;
  }

  /** Opens a spool in the directory, which is made if need be; what it holds stays. */
  public static SpoolFiles open(Path directory) {
    return open(directory, 16L << 20);
  }

  /**
   * @param fileBytes about how long a file gets
   */
  static SpoolFiles open(Path directory, long fileBytes) {
    try {
      Files.createDirectories(directory);
      SpoolFiles files = new SpoolFiles(directory, fileBytes);
      for (Path path : list(directory)) {
        Segment segment = new Segment(path);
        segment.last = new Replay(path).run().last();
        files.full.add(segment);
        files.sequence = sequenceOf(path);
      }
      return files;
    } catch (IOException e) {
      throw Disk.failure("opening spool " + directory, e);
    }
  }

  /**
   * What a spool holds that was not shipped, in order. A record that is not whole ends its file:
   * the process was killed while it wrote that, and had not acknowledged it.
   */
  public static List<SpooledWrite> read(Path directory) {
    List<SpooledWrite> writes = new ArrayList<>();
    long shipped = 0;
    try {
      for (Path path : list(directory)) {
        Replay replay = new Replay(path).run();
        writes.addAll(replay.writes);
        shipped = Math.max(shipped, replay.shipped);
      }
    } catch (IOException e) {
      throw Disk.failure("reading spool " + directory, e);
    }
    long done = shipped;
    writes.removeIf(write -> write.number() <= done);
    return writes;
  }

  @Override
  public void append(SpooledWrite write) {
    ByteBuffer data = write.data().duplicate();
    if (data.remaining() > LONGEST) {
      throw new TrefoilException(
          Reason.TOO_LARGE, "a write of " + data.remaining() + " bytes; at most " + LONGEST);
    }
    ByteBuffer head = ByteBuffer.allocate(PREFIX + WRITE_HEAD);
    head.putInt(WRITE_HEAD + data.remaining()).putInt(0).put(WRITE);
    head.putLong(write.number()).putLong(write.inode()).putLong(write.offset());
    head.putLong(write.wallNanos()).put((byte) (write.clearsSetId() ? 1 : 0));
    put(head.flip(), data);
    if (current != null) {
      current.last = write.number();
    }
  }

  @Override
  public void shipped(long number) {
    ByteBuffer head = ByteBuffer.allocate(PREFIX + SHIPPED_LENGTH);
    head.putInt(SHIPPED_LENGTH).putInt(0).put(SHIPPED).putLong(number);
    put(head.flip(), ByteBuffer.allocate(0));
    while (!full.isEmpty() && full.getFirst().last <= number) {
      delete(full.removeFirst().path);
    }
  }

  /**
   * On failure nothing of the record is kept: the next one goes where it would have been, and no
   * bytes that a user chose lie behind it.
   */
  private void put(ByteBuffer head, ByteBuffer data) {
    CRC32C crc = new CRC32C();
    crc.update(head.duplicate().position(PREFIX));
    crc.update(data.duplicate());
    head.putInt(4, (int) crc.getValue());
    try {
      FileChannel out = out();
      Segment segment = java.util.Objects.requireNonNull(current);
      write(out, segment, new ByteBuffer[] {head, data});
    } catch (IOException e) {
      throw Disk.failure("spool " + directory, e);
    }
  }

  private static void write(FileChannel out, Segment segment, ByteBuffer[] record)
      throws IOException {
    long end = segment.size;
    try {
      out.position(end);
      while (record[0].hasRemaining() || record[1].hasRemaining()) {
        end += out.write(record);
      }
      segment.size = end;
    } catch (IOException e) {
      out.truncate(segment.size);
      throw e;
    }
  }

  private FileChannel out() throws IOException {
    FileChannel open = channel;
    if (open != null && current != null && current.size < fileBytes) {
      return open;
    }
    Path path = directory.resolve("%s%010d".formatted(NAME, sequence + 1));
    FileChannel next =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    sequence++;
    if (open != null && current != null) {
      open.close();
      full.add(current);
    }
    current = new Segment(path);
    channel = next;
    return next;
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw Disk.failure("spool " + path, e);
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> name(file).startsWith(NAME)).sorted().toList();
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString();
  }

  private static long sequenceOf(Path file) throws IOException {
    try {
      return Long.parseLong(name(file).substring(NAME.length()));
    } catch (NumberFormatException e) {
      throw new IOException(file + " does not belong into a spool's directory", e);
    }
  }

  /** What a file holds, up to the first record that is not whole. */
  private static final class Replay {
    final List<SpooledWrite> writes = new ArrayList<>();
    final ByteBuffer bytes;
    long shipped;
    boolean damaged;

    Replay(Path path) throws IOException {
      bytes = ByteBuffer.wrap(Files.readAllBytes(path));
    }

    long last() {
      return writes.isEmpty() ? 0 : writes.getLast().number();
    }

    Replay run() {
      while (bytes.hasRemaining() && !damaged) {
        damaged = !next();
      }
      return this;
    }

    private boolean next() {
      if (bytes.remaining() < PREFIX) {
        return false;
      }
      int length = bytes.getInt();
      int checksum = bytes.getInt();
      if (length < 1 || length > bytes.remaining()) {
        return false;
      }
      ByteBuffer body = bytes.slice(bytes.position(), length);
      bytes.position(bytes.position() + length);
      CRC32C crc = new CRC32C();
      crc.update(body.duplicate());
      return (int) crc.getValue() == checksum && read(body);
    }

    private boolean read(ByteBuffer body) {
      byte kind = body.get();
      if (kind == SHIPPED && body.remaining() == Long.BYTES) {
        shipped = Math.max(shipped, body.getLong());
        return true;
      }
      if (kind != WRITE || body.remaining() < WRITE_HEAD - 1) {
        return false;
      }
      long number = body.getLong();
      long inode = body.getLong();
      long offset = body.getLong();
      long wallNanos = body.getLong();
      boolean clears = body.get() != 0;
      writes.add(new SpooledWrite(number, inode, offset, body.slice(), wallNanos, clears));
      return true;
    }
  }

  @Override
  public void close() {
    FileChannel open = channel;
    channel = null;
    current = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        throw Disk.failure("closing spool " + directory, e);
      }
    }
  }
}
