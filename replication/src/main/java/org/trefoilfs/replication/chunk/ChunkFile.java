package org.trefoilfs.replication.chunk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;

/**
 * One open chunk file: format at {@link ChunkMeta}. Readers may share it, a writer needs it alone.
 */
final class ChunkFile implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkFile.class);

  /**
   * ext4 caches what one call writes in folios as large as that, up to 2 MiB, and looks at every
   * block of a folio whenever a part of it is written again. With small writes to chunks that had
   * been written by the MiB, three hosts spent 8 % of two busy processors in that, and 3 % so.
   */
  private static final int WRITE_BYTES = 64 << 10;

  private final ChunkId id;
  private Path path;
  private final FileChannel channel;
  private final ChunkMeta meta;

  private ChunkFile(ChunkId id, Path path, FileChannel channel, ChunkMeta meta) {
    this.id = id;
    this.path = path;
    this.channel = channel;
    this.meta = meta;
  }

  /**
   * Creates it, or empties it; the table takes its space at once, so that later changes of it need
   * none.
   */
  static ChunkFile create(Path path, ChunkId id) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING);
    ChunkMeta meta = ChunkMeta.empty(id);
    try {
      meta.write(channel, Version.NONE);
    } catch (IOException e) {
      channel.close();
      Files.deleteIfExists(path);
      throw e;
    }
    return new ChunkFile(id, path, channel, meta);
  }

  /**
   * Null when there is none. A table or header that is torn is CORRUPT, or with {@link Redo#REDO}
   * made anew from the data.
   */
  static @Nullable ChunkFile open(Path path, ChunkId id, Redo redo) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      return null;
    }
    try {
      ChunkMeta meta = ChunkMeta.read(channel);
      if (meta.isValid(id)) {
        return new ChunkFile(id, path, channel, meta);
      }
      if (redo == Redo.FIRST) {
        throw corruptMeta(path, meta);
      }
      return rebuilt(path, id, channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  static TrefoilException corruptMeta(Path path, ChunkMeta meta) {
    return new TrefoilException(
        Reason.CORRUPT,
        "chunk file "
            + path
            + ": checksum table or header is damaged: "
            + meta.describeChecksum()
            + "; restore the chunk from another replica");
  }

  private static ChunkFile rebuilt(Path path, ChunkId id, FileChannel channel) throws IOException {
    LOG.debug("chunk file {}: torn checksum table or header; made anew for redo", path);
    ChunkFile file = new ChunkFile(id, path, channel, ChunkMeta.empty(id));
    file.adopt(0, Blocks.COUNT - 1);
    file.meta.write(channel, Version.NONE);
    return file;
  }

  FileChannel channel() {
    return channel;
  }

  /** Forces the file, though a reader's interrupt may have closed the channel. */
  void force(Disk disk) throws IOException {
    if (channel.isOpen()) {
      disk.force(channel);
      return;
    }
    try (FileChannel again = FileChannel.open(path, StandardOpenOption.WRITE)) {
      disk.force(again);
    }
  }

  ChunkInfo info() {
    return meta.info(id);
  }

  BlockSet allocated() {
    return meta.allocated();
  }

  ByteBuffer read(int offset, int length) throws IOException {
    if (length == 0) {
      return ByteBuffer.allocate(0);
    }
    int first = Blocks.of(offset);
    int last = Blocks.of(offset + length - 1);
    ByteBuffer blocks = readBlocks(first, last);
    for (int block = first; block <= last; block++) {
      verify(block, blocks.slice((block - first) * ChunkId.BLOCK, ChunkId.BLOCK));
    }
    return blocks.slice(offset - first * ChunkId.BLOCK, length);
  }

  void write(int offset, ByteBuffer data, Version version, Redo redo) throws IOException {
    writeData(offset, data.slice(), redo);
    meta.write(channel, version);
  }

  void punch(int offset, int length, Version version, Redo redo) throws IOException {
    try {
      punchData(offset, offset + length, redo);
    } catch (TrefoilException e) {
      // One edge may be changed when the other turns out to be damaged.
      meta.write(channel, meta.version());
      throw e;
    }
    meta.write(channel, version);
  }

  /** Fills a new file. */
  void fill(ChunkImage image) throws IOException {
    for (Extent extent : image.extents()) {
      writeData(extent.offset(), extent.data().slice(), Redo.FIRST);
    }
    meta.write(channel, image.version());
  }

  ChunkImage image(BlockSet blocks) throws IOException {
    List<Extent> extents = new ArrayList<>();
    for (BlockSet.Range range : blocks.ranges()) {
      addExtents(Blocks.of(range.offset()), Blocks.of(range.offset() + range.length()), extents);
    }
    return new ChunkImage(id, meta.version(), extents);
  }

  private void addExtents(int first, int limit, List<Extent> extents) throws IOException {
    int block = first;
    while (block < limit) {
      int end = block;
      while (end < limit && meta.checksum(end) != Blocks.HOLE) {
        end++;
      }
      if (end > block) {
        int offset = block * ChunkId.BLOCK;
        extents.add(new Extent(offset, read(offset, (end - block) * ChunkId.BLOCK)));
      }
      block = end + 1;
    }
  }

  /** Whether no block of the range is a hole: overwriting it takes no space. */
  boolean isAllocated(int offset, int length) {
    for (int block = Blocks.of(offset); block < Blocks.atOrAfter(offset + length); block++) {
      if (meta.checksum(block) == Blocks.HOLE) {
        return false;
      }
    }
    return true;
  }

  void moveTo(Path target) throws IOException {
    Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
    path = target;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void writeData(int offset, ByteBuffer data, Redo redo) throws IOException {
    int length = data.remaining();
    if (length == 0) {
      return;
    }
    int first = Blocks.of(offset);
    int last = Blocks.of(offset + length - 1);
    int[] checksums = new int[last - first + 1];
    for (int block = first; block <= last; block++) {
      checksums[block - first] = Blocks.checksum(merged(block, offset, data, redo));
    }
    try {
      writeBlocks(offset, data, checksums, redo);
    } catch (IOException e) {
      keepConsistent(first, last, e);
      throw e;
    }
    for (int block = first; block <= last; block++) {
      meta.setChecksum(block, checksums[block - first]);
    }
  }

  /**
   * Data is written; blocks that become zeros are punched, and those that are holes are left alone:
   * what the table takes for a hole takes no space. After a crash the table may know less than the
   * disk has.
   */
  private void writeBlocks(int offset, ByteBuffer data, int[] checksums, Redo redo)
      throws IOException {
    int first = Blocks.of(offset);
    int last = first + checksums.length - 1;
    for (int block = first; block <= last; ) {
      boolean zeros = checksums[block - first] == Blocks.HOLE;
      int next = block;
      boolean holes = true;
      while (next <= last && (checksums[next - first] == Blocks.HOLE) == zeros) {
        holes &= meta.checksum(next) == Blocks.HOLE;
        next++;
      }
      if (!zeros) {
        int from = Math.max(offset, block * ChunkId.BLOCK);
        int to = Math.min(offset + data.remaining(), next * ChunkId.BLOCK);
        writeFully(data.slice(from - offset, to - from), from);
      } else if (!holes || redo == Redo.REDO) {
        punchBlocks(block, next);
      }
      block = next;
    }
  }

  /** The block as it will be: a view of the data, or what lies there with the data put over it. */
  private ByteBuffer merged(int block, int offset, ByteBuffer data, Redo redo) throws IOException {
    int start = block * ChunkId.BLOCK;
    int from = Math.max(offset, start);
    int to = Math.min(offset + data.remaining(), start + ChunkId.BLOCK);
    ByteBuffer part = data.slice(from - offset, to - from);
    if (to - from == ChunkId.BLOCK) {
      return part;
    }
    ByteBuffer whole = readBlocks(block, block);
    if (redo == Redo.FIRST) {
      verify(block, whole);
    } else if (Blocks.checksum(whole) != meta.checksum(block)) {
      LOG.info("chunk file {}: redo over torn block {}", path, block);
    }
    return whole.put(from - start, part, 0, part.remaining());
  }

  /** A disk that fills up in the middle of a write leaves some blocks old and some new. */
  private void keepConsistent(int first, int last, IOException cause) throws IOException {
    if (Disk.isFull(cause)) {
      adopt(first, last);
      meta.write(channel, meta.version());
    }
  }

  /** Takes what lies in the blocks for their content. */
  private void adopt(int first, int last) throws IOException {
    for (int block = first; block <= last; block++) {
      meta.setChecksum(block, Blocks.checksum(readBlocks(block, block)));
    }
  }

  private void punchData(int offset, int end, Redo redo) throws IOException {
    int from = Blocks.atOrAfter(offset);
    int to = Blocks.of(end);
    if (from > to) {
      zero(offset, end, redo);
      return;
    }
    zero(offset, from * ChunkId.BLOCK, redo);
    zero(to * ChunkId.BLOCK, end, redo);
    punchBlocks(from, to);
  }

  private void zero(int from, int to, Redo redo) throws IOException {
    boolean isHole = from < to && meta.checksum(Blocks.of(from)) == Blocks.HOLE;
    if (from < to && !(isHole && redo == Redo.FIRST)) {
      writeData(from, ByteBuffer.allocate(to - from), redo);
    }
  }

  private void punchBlocks(int from, int to) throws IOException {
    int bytes = (to - from) * ChunkId.BLOCK;
    if (bytes > 0 && !HolePunch.punch(path, (long) from * ChunkId.BLOCK, bytes)) {
      writeFully(ByteBuffer.allocate(bytes), from * ChunkId.BLOCK);
    }
    for (int block = from; block < to; block++) {
      meta.setChecksum(block, Blocks.HOLE);
    }
  }

  private void verify(int block, ByteBuffer content) {
    int found = Blocks.checksum(content);
    int expected = meta.checksum(block);
    if (found != expected) {
      throw corruptBlock(path, block, expected, found);
    }
  }

  static TrefoilException corruptBlock(Path path, int block, int expected, int found) {
    return new TrefoilException(
        Reason.CORRUPT,
        "chunk file %s: block %d is damaged: expected checksum %08x, found %08x; restore the chunk from another replica"
            .formatted(path, block, expected, found));
  }

  private ByteBuffer readBlocks(int first, int last) throws IOException {
    ByteBuffer blocks = ByteBuffer.allocate((last - first + 1) * ChunkId.BLOCK);
    for (long at = (long) first * ChunkId.BLOCK; blocks.hasRemaining(); ) {
      int count = channel.read(blocks, at);
      if (count < 0) {
        break;
      }
      at += count;
    }
    return blocks.clear();
  }

  private void writeFully(ByteBuffer data, int offset) throws IOException {
    int end = data.limit();
    for (long at = offset; data.position() < end; ) {
      data.limit(Math.min(end, data.position() + WRITE_BYTES));
      at += channel.write(data, at);
    }
  }
}
