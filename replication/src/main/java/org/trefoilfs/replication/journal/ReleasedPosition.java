package org.trefoilfs.replication.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.trefoilfs.replication.chunk.Disk;

/**
 * The released position on disk: two slots, written in turn, so that one is whole whatever a crash
 * tears. The file has its size from the start, so that a full disk does not stop a release.
 *
 * <pre>
 *  0            8            16                  512          520          528
 *  +------------+------------+-------------------+------------+------------+
 *  | position   | CRC32C     | ...               | position   | CRC32C     |
 *  +------------+------------+-------------------+------------+------------+
 * </pre>
 */
final class ReleasedPosition implements Closeable {
  private static final int SLOT = 512;
  private final FileChannel channel;
  private final Disk disk;
  private long position;
  private int nextSlot;

  private ReleasedPosition(FileChannel channel, Disk disk) {
    this.channel = channel;
    this.disk = disk;
  }

  static ReleasedPosition open(Path file, Disk disk) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    ReleasedPosition released = new ReleasedPosition(channel, disk);
    if (channel.size() < 2 * SLOT) {
      channel.write(ByteBuffer.allocate(2 * SLOT), 0);
      disk.force(channel);
    }
    released.load();
    return released;
  }

  long position() {
    return position;
  }

  void advance(long newPosition) throws IOException {
    ByteBuffer slot = ByteBuffer.allocate(16);
    slot.putLong(newPosition).putLong(checksum(newPosition)).flip();
    channel.write(slot, (long) nextSlot * SLOT);
    disk.force(channel);
    position = newPosition;
    nextSlot = 1 - nextSlot;
  }

  private void load() throws IOException {
    for (int i = 0; i < 2; i++) {
      ByteBuffer slot = ByteBuffer.allocate(16);
      Segment.readFully(channel, slot, (long) i * SLOT);
      long value = slot.getLong(0);
      if (slot.getLong(8) == checksum(value) && value > position) {
        position = value;
        nextSlot = 1 - i;
      }
    }
  }

  private static long checksum(long value) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(Long.BYTES).putLong(value).flip());
    return crc.getValue();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
