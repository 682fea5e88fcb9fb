package org.trefoilfs.replication.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** One file of the journal, in use or spare. Not thread-safe, but for {@link #channel}. */
final class Segment implements Closeable {
  private static final long UNKNOWN = -1;

  final Path path;
  final FileChannel channel;

  /** Where the channel's position is known to be. */
  private long appended = UNKNOWN;

  /** Null in a spare. */
  private @Nullable SegmentHeader header;

  /** Holds bytes that no fsync has covered; guarded by the journal's lock. */
  boolean dirty;

  private Segment(Path path, FileChannel channel, @Nullable SegmentHeader header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  static Segment create(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    return new Segment(path, channel, null);
  }

  /** Opens what is there; without a header when there is no valid one. */
  static Segment open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    ByteBuffer head = ByteBuffer.allocate(SegmentHeader.BYTES);
    readFully(channel, head, 0);
    return new Segment(path, channel, SegmentHeader.decode(head.flip()));
  }

  boolean isSpare() {
    return header == null;
  }

  SegmentHeader header() {
    if (header == null) {
      throw new IllegalStateException("spare journal segment " + path);
    }
    return header;
  }

  /** Begins a use of the file: what it held is void from here on. */
  void begin(SegmentHeader newHeader) throws IOException {
    writeFully(newHeader.encode(), 0);
    header = newHeader;
    dirty = true;
  }

  /** Keeps the file for another use; its old header stays until then. */
  void retire() {
    header = null;
    dirty = false;
  }

  /** Offset in the file of a position. */
  long offsetOf(long position) {
    return SegmentHeader.BYTES + position - header().base();
  }

  void append(long position, ByteBuffer[] buffers, long bytes) throws IOException {
    long offset = offsetOf(position);
    if (appended != offset) {
      channel.position(offset);
    }
    dirty = true;
    appended = UNKNOWN;
    for (long written = 0; written < bytes; ) {
      written += channel.write(buffers);
    }
    appended = offset + bytes;
  }

  void writeFully(ByteBuffer bytes, long offset) throws IOException {
    for (long at = offset; bytes.hasRemaining(); ) {
      at += channel.write(bytes, at);
    }
  }

  /** Fills the buffer as far as the file reaches. */
  static void readFully(FileChannel channel, ByteBuffer into, long offset) throws IOException {
    for (long at = offset; into.hasRemaining(); ) {
      int count = channel.read(into, at);
      if (count < 0) {
        return;
      }
      at += count;
    }
  }

  void delete() throws IOException {
    close();
    Files.deleteIfExists(path);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
