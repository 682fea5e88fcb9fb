package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The plain store: a sparse file for each chunk, {@code ROOT/POOL/GROUP/INODE-INDEX} (format at
 * {@link ChunkMeta}).
 *
 * <p>What is applied may reach the disk at any moment. Redo heals it only if the journal holds it:
 * apply nothing that the journal has not synced. Threads in here must not be interrupted, since
 * that closes a {@code FileChannel}. One process may have the directory open.
 */
public final class FileChunkStore implements ChunkStore {
  private static final Logger LOG = LoggerFactory.getLogger(FileChunkStore.class);

  /** Open files at most, a descriptor and 4 KiB of heap each. */
  static final int OPEN_FILES = 512;

  private final ChunkPaths paths;
  private final Disk disk;
  private final SpaceGuard space;
  private final OpenChunks open;
  private final Set<Path> dirtyDirectories = ConcurrentHashMap.newKeySet();
  private final ReentrantLock syncing = new ReentrantLock();
  private final AtomicLong temporaries = new AtomicLong();
  private volatile @Nullable TrefoilException failure;

  private FileChunkStore(Path root, int openFiles, Disk disk) throws IOException {
    this.paths = new ChunkPaths(root);
    this.disk = disk;
    this.space = new SpaceGuard(root);
    this.open = new OpenChunks(openFiles, disk, cause -> fatal("syncing", cause));
  }

  /** Opens, or creates, the store under the directory. Throws IO. */
  public static FileChunkStore open(Path root) {
    return open(root, OPEN_FILES, Disk.REAL);
  }

  static FileChunkStore open(Path root, int openFiles, Disk disk) {
    try {
      Path absolute = root.toAbsolutePath();
      Files.createDirectories(absolute);
      FileChunkStore store = new FileChunkStore(absolute, openFiles, disk);
      Files.createDirectories(store.paths.temporary());
      for (Path leftOver : ChunkPaths.children(store.paths.temporary())) {
        Files.delete(leftOver);
      }
      return store;
    } catch (IOException e) {
      throw Disk.failure("opening chunk store " + root, e);
    }
  }

  @Override
  public ByteBuffer read(int pg, ChunkId id, int offset, int length) {
    if (offset < 0 || length < 0 || (long) offset + length > ChunkId.SIZE) {
      throw new TrefoilException(
          Reason.INVALID, "range [" + offset + ", +" + length + ") is outside chunk " + id);
    }
    return reading(
        pg,
        id,
        slot -> {
          ChunkFile file = slot.file();
          return file == null ? ByteBuffer.allocate(length) : file.read(offset, length);
        });
  }

  @Override
  public void apply(int pg, Mutation mutation, Version version, Redo redo) {
    changing(
        pg,
        mutation.chunk(),
        key -> ChunkFile.open(path(key), key.id(), redo),
        slot -> {
          switch (mutation) {
            case Mutation.Write write -> write(slot, write, version, redo);
            case Mutation.Punch punch -> punch(slot, punch, version, redo);
            case Mutation.Delete delete -> delete(slot);
          }
        });
  }

  /** {@inheritDoc} One at {@link Version#NONE} without extents removes the chunk. */
  @Override
  public void install(int pg, ChunkImage image) {
    changing(
        pg,
        image.id(),
        key -> null,
        slot -> {
          if (image.extents().isEmpty() && image.version().equals(Version.NONE)) {
            delete(slot);
          } else {
            replace(slot, image);
          }
        });
  }

  @Override
  public Optional<ChunkImage> image(int pg, ChunkId id, BlockSet blocks) {
    return reading(
        pg,
        id,
        slot -> {
          ChunkFile file = slot.file();
          return file == null ? Optional.empty() : Optional.of(file.image(blocks));
        });
  }

  /**
   * {@inheritDoc} A chunk whose table is damaged has {@link Version#NONE}, so that it is fetched
   * anew.
   */
  @Override
  public Optional<ChunkInfo> info(int pg, ChunkId id) {
    try {
      return reading(pg, id, slot -> Optional.ofNullable(slot.file()).map(ChunkFile::info));
    } catch (TrefoilException e) {
      if (e.reason() != Reason.CORRUPT) {
        throw e;
      }
      LOG.warn("{}", e.getMessage());
      return Optional.of(new ChunkInfo(id, Version.NONE, 0, 0));
    }
  }

  /** {@inheritDoc} Chunks that are not in use are not opened for it: there may be very many. */
  @Override
  public BlockSet allocated(int pg, ChunkId id) {
    checkUsable();
    if (!open.isOpen(new OpenChunks.Key(pg, id))) {
      ChunkMeta meta = peekQuietly(pg, id);
      if (meta == null) {
        return BlockSet.none();
      }
      if (meta.isValid(id)) {
        return meta.allocated();
      }
      // Opened and changed while it was read, or damaged: look properly.
    }
    return reading(
        pg,
        id,
        slot -> {
          ChunkFile file = slot.file();
          return file == null ? BlockSet.none() : file.allocated();
        });
  }

  private @Nullable ChunkMeta peekQuietly(int pg, ChunkId id) {
    try {
      // Mostly there is none: an exception for each would be most of what is done.
      return paths.chunk(pg, id).toFile().exists() ? peek(pg, id) : null;
    } catch (IOException e) {
      throw Disk.failure("reading " + paths.chunk(pg, id), e);
    }
  }

  /** {@inheritDoc} Damaged ones as in {@link #info}. */
  @Override
  public List<ChunkInfo> list(int pg) {
    checkUsable();
    try {
      List<ChunkInfo> infos = new ArrayList<>();
      for (ChunkId id : paths.chunks(pg)) {
        ChunkMeta meta = open.isOpen(new OpenChunks.Key(pg, id)) ? null : peek(pg, id);
        if (meta != null && meta.isValid(id)) {
          infos.add(meta.info(id));
        } else {
          // In use, deleted meanwhile, changed while it was read, or damaged: look properly.
          info(pg, id).ifPresent(infos::add);
        }
      }
      return infos;
    } catch (IOException e) {
      throw Disk.failure("listing " + paths.group(pg), e);
    }
  }

  @Override
  public List<Integer> groups() {
    try {
      return paths.groups();
    } catch (IOException e) {
      throw Disk.failure("listing " + paths.root(), e);
    }
  }

  @Override
  public void dropGroup(int pg) {
    checkUsable();
    try {
      for (ChunkId id : paths.chunks(pg)) {
        changing(pg, id, key -> null, this::delete);
      }
      for (Path stranger : ChunkPaths.children(paths.group(pg))) {
        Files.deleteIfExists(stranger);
      }
      dirtyDirectories.remove(paths.group(pg));
      Files.deleteIfExists(paths.group(pg));
      dirtyDirectories.add(paths.pool(pg));
    } catch (IOException e) {
      throw Disk.failure("dropping " + paths.group(pg), e);
    }
  }

  @Override
  public void sync() {
    syncing.lock();
    try {
      checkUsable();
      open.sync();
      Iterator<Path> directories = dirtyDirectories.iterator();
      while (directories.hasNext()) {
        Path directory = directories.next();
        directories.remove();
        forceDirectory(directory);
      }
    } catch (IOException e) {
      throw fatal("syncing", e);
    } finally {
      syncing.unlock();
    }
  }

  @Override
  public Space space() {
    try {
      return space.space();
    } catch (IOException e) {
      throw Disk.failure("chunk store " + paths.root(), e);
    }
  }

  @Override
  public void close() {
    syncing.lock();
    try {
      if (failure == null) {
        sync();
        failure = new TrefoilException(Reason.IO, "chunk store " + paths.root() + " is closed");
      }
    } finally {
      open.close();
      syncing.unlock();
    }
  }

  private void write(OpenChunks.Slot slot, Mutation.Write write, Version version, Redo redo)
      throws IOException {
    ChunkFile file = slot.file();
    int length = write.data().remaining();
    boolean needsSpace = file == null || !file.isAllocated(write.offset(), length);
    // What is redone was admitted once; the reserve may serve it, so that a full host starts.
    if (redo == Redo.FIRST && needsSpace) {
      admit(length + (file == null ? ChunkMeta.BYTES : 0));
    }
    if (file == null) {
      file =
          ChunkFile.create(
              groupDirectory(slot.key.pg()).resolve(slot.key.id().toString()), slot.key.id());
      slot.replace(file);
      dirtyDirectories.add(paths.group(slot.key.pg()));
    }
    slot.markDirty();
    file.write(write.offset(), write.data(), version, redo);
  }

  private static void punch(OpenChunks.Slot slot, Mutation.Punch punch, Version version, Redo redo)
      throws IOException {
    ChunkFile file = slot.file();
    if (file != null) {
      slot.markDirty();
      file.punch(punch.offset(), punch.length(), version, redo);
    }
  }

  private void delete(OpenChunks.Slot slot) throws IOException {
    slot.replace(null);
    if (Files.deleteIfExists(path(slot.key))) {
      dirtyDirectories.add(paths.group(slot.key.pg()));
    }
  }

  private void replace(OpenChunks.Slot slot, ChunkImage image) throws IOException {
    OpenChunks.Key key = slot.key;
    if (!Files.exists(path(key))) {
      admit(image.bytes() + ChunkMeta.BYTES);
    }
    groupDirectory(key.pg());
    Path temporary = paths.temporary().resolve(key.id() + "." + temporaries.incrementAndGet());
    ChunkFile file = ChunkFile.create(temporary, key.id());
    try {
      file.fill(image);
      file.moveTo(path(key));
    } catch (IOException | RuntimeException e) {
      file.close();
      Files.deleteIfExists(temporary);
      throw e;
    }
    slot.replace(file);
    dirtyDirectories.add(paths.group(key.pg()));
  }

  private void admit(long bytes) throws IOException {
    if (!space.admits(bytes)) {
      throw new TrefoilException(
          Reason.NO_SPACE,
          "chunk store "
              + paths.root()
              + ": the disk is full but for its reserve; delete files or"
              + " add space");
    }
  }

  private Path groupDirectory(int pg) throws IOException {
    Path directory = paths.group(pg);
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory);
      dirtyDirectories.add(paths.pool(pg));
      dirtyDirectories.add(paths.root());
    }
    return directory;
  }

  private Path path(OpenChunks.Key key) {
    return paths.chunk(key.pg(), key.id());
  }

  private @Nullable ChunkMeta peek(int pg, ChunkId id) throws IOException {
    try (FileChannel channel = FileChannel.open(paths.chunk(pg, id), StandardOpenOption.READ)) {
      return ChunkMeta.read(channel);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private <T> T reading(int pg, ChunkId id, OpenChunks.Action<T> action) {
    checkUsable();
    OpenChunks.Key key = new OpenChunks.Key(pg, id);
    try {
      return open.reading(key, k -> ChunkFile.open(path(k), k.id(), Redo.FIRST), action);
    } catch (IOException e) {
      throw Disk.failure("reading " + path(key), e);
    }
  }

  /**
   * A change that fails halfway leaves a file that cannot be trusted: fatal but for a full disk.
   */
  private void changing(int pg, ChunkId id, OpenChunks.Loader loader, OpenChunks.Change change) {
    checkUsable();
    OpenChunks.Key key = new OpenChunks.Key(pg, id);
    try {
      open.changing(key, loader, change);
    } catch (IOException e) {
      throw Disk.isFull(e)
          ? Disk.failure("writing " + path(key), e)
          : fatal("writing " + path(key), e);
    }
  }

  private void forceDirectory(Path directory) throws IOException {
    try {
      disk.forceDirectory(directory);
    } catch (NoSuchFileException e) {
      LOG.debug("{} was dropped before its sync", directory);
    }
  }

  private void checkUsable() {
    TrefoilException failed = failure;
    if (failed != null) {
      throw failed;
    }
  }

  private TrefoilException fatal(String what, IOException cause) {
    TrefoilException failed =
        new TrefoilException(
            Reason.IO,
            "chunk store "
                + paths.root()
                + " failed while "
                + what
                + ": "
                + cause
                + "; it takes no more requests: replace the disk and let the host fetch its groups",
            cause);
    failure = failed;
    LOG.error("{}", failed.getMessage());
    return failed;
  }
}
