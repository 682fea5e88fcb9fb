package org.trefoilfs.replication.statelog.rocks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Checkpoint;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * The modules' state in one RocksDB.
 *
 * <p>Its write-ahead log is not synced: the replicated log is. It is there for a process that is
 * killed, which would otherwise apply again what came since the last snapshot before it serves.
 * Every batch carries the log index that it brings the state to, in one column family, so whatever
 * a crash leaves is the state after some prefix of the log, and says which.
 *
 * <p>One thread applies; any number read beside it.
 */
public final class RocksState implements Closeable {
  private final Path directory;

  /** Readers of the open database against replacing and closing it. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private @Nullable RocksHandle handle;
  private volatile Applied applied;

  private RocksState(Path directory) {
    this.directory = directory;
    this.handle = new RocksHandle(directory);
    this.applied = storedPosition();
  }

  /**
   * Opens the database in this directory, or a new one.
   *
   * @throws TrefoilException CORRUPT or IO, with the remedy
   */
  public static RocksState open(Path directory) {
    try {
      Files.createDirectories(directory);
      Directories.delete(staged(directory));
      Directories.delete(old(directory));
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, "state database " + directory + " cannot be created: " + e, e);
    }
    return new RocksState(directory);
  }

  /** The last log entry in this state. */
  public Applied applied() {
    return applied;
  }

  /**
   * Runs a command and commits its changes together with the log position. When it throws a {@code
   * TrefoilException}, only the position is committed and the exception passed on. Any other
   * exception leaves the state as it was.
   */
  public byte[] apply(byte module, Function<KeyValue, byte[]> command, Applied at) {
    return whileOpen(
        rocks -> {
          rocks.batch().clear();
          try {
            byte[] reply = command.apply(new BatchView(rocks, module));
            commit(rocks, at);
            return reply;
          } catch (TrefoilException regular) {
            rocks.batch().clear();
            commit(rocks, at);
            throw regular;
          }
        });
  }

  /** Records that the state includes this entry, which changed nothing. */
  public void skipTo(Applied at) {
    whileOpen(
        rocks -> {
          rocks.batch().clear();
          commit(rocks, at);
          return at;
        });
  }

  private void commit(RocksHandle rocks, Applied at) {
    try {
      rocks.batch().put(Keys.APPLIED, at.toBytes());
      rocks.write();
      applied = at;
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }

  /** Reads a module's keys as of one moment. */
  public <T> T read(byte module, Function<KeyValueReader, T> reader) {
    return whileOpen(
        rocks -> {
          Snapshot snapshot = rocks.db().getSnapshot();
          try (ReadOptions options = new ReadOptions().setSnapshot(snapshot)) {
            return reader.apply(new SnapshotView(rocks, snapshot, options, module));
          } finally {
            rocks.db().releaseSnapshot(snapshot);
            snapshot.close();
          }
        });
  }

  /** Reads a module's newest keys, on the applying thread, beside which nothing changes. */
  public void readApplied(byte module, Consumer<KeyValueReader> reader) {
    whileOpen(
        rocks -> {
          reader.accept(new SnapshotView(rocks, null, rocks.latest(), module));
          return applied;
        });
  }

  /** Visits everything stored, in order, module ids and the log position included. */
  public void forEach(KeyValueReader.Visitor visitor) {
    whileOpen(
        rocks -> {
          try (RocksIterator all = rocks.db().newIterator()) {
            for (all.seekToFirst(); all.isValid(); all.next()) {
              if (!visitor.visit(all.key(), all.value())) {
                break;
              }
            }
          }
          return applied;
        });
  }

  /** Writes a copy that shares the tables by hard links; {@code target} must not exist. */
  public void checkpoint(Path target) {
    whileOpen(
        rocks -> {
          try (Checkpoint checkpoint = Checkpoint.create(rocks.db())) {
            checkpoint.createCheckpoint(target.toString());
            return target;
          } catch (RocksDBException e) {
            throw rocks.failure(e);
          }
        });
  }

  /**
   * Becomes the state in a checkpoint, which is left as it is. A crash in between leaves the old
   * state, or none, never a mixture: whoever opens it next replaces it again.
   */
  public void replaceBy(Path checkpoint) {
    Path staged = staged(directory);
    Path old = old(directory);
    lock.writeLock().lock();
    try {
      Directories.delete(staged);
      Directories.delete(old);
      Directories.cloneCheckpoint(checkpoint, staged);
      closeHandle();
      Files.move(directory, old, StandardCopyOption.ATOMIC_MOVE);
      Files.move(staged, directory, StandardCopyOption.ATOMIC_MOVE);
      Directories.syncParent(directory);
      handle = new RocksHandle(directory);
      applied = storedPosition();
      Directories.delete(old);
    } catch (IOException e) {
      throw new StoreFailure(directory, e);
    } finally {
      lock.writeLock().unlock();
    }
  }

  private static Path staged(Path directory) {
    return directory.resolveSibling(directory.getFileName() + ".new");
  }

  private static Path old(Path directory) {
    return directory.resolveSibling(directory.getFileName() + ".old");
  }

  private Applied storedPosition() {
    return whileOpen(
        rocks -> {
          try {
            byte[] bytes = rocks.db().get(Keys.APPLIED);
            return bytes == null ? Applied.NONE : Applied.ofBytes(bytes);
          } catch (RocksDBException e) {
            throw rocks.failure(e);
          }
        });
  }

  private <T> T whileOpen(Function<RocksHandle, T> use) {
    lock.readLock().lock();
    try {
      RocksHandle rocks = handle;
      if (rocks == null) {
        throw new TrefoilException(
            Reason.UNAVAILABLE, "state database " + directory + " is closed; ask another host");
      }
      return use.apply(rocks);
    } finally {
      lock.readLock().unlock();
    }
  }

  private void closeHandle() {
    RocksHandle open = handle;
    handle = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closeHandle();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
