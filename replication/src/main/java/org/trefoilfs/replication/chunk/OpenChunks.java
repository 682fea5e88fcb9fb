package org.trefoilfs.replication.chunk;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;

/**
 * The chunk files that are open, each at most once: a second one would have a table of its own. The
 * least recently used that nobody uses is closed when there are too many, a synced one rather than
 * one that must be synced first.
 *
 * <p>Lock order: {@code evicting}, a slot's lock, then the monitor of the map.
 */
final class OpenChunks implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenChunks.class);

  record Key(int pg, ChunkId id) {}

  /** A chunk in use; there may be no file yet. */
  static final class Slot {
    final Key key;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private volatile @Nullable ChunkFile file;
    private volatile boolean dirty;
    private int users;

    private Slot(Key key) {
      this.key = key;
    }

    @Nullable ChunkFile file() {
      return file;
    }

    /** A reader that was interrupted has closed the channel: it is then opened again. */
    private boolean isUsable() {
      ChunkFile current = file;
      return current != null && current.channel().isOpen();
    }

    /** Puts another file, or none, in place of the one there is. */
    void replace(@Nullable ChunkFile next) {
      ChunkFile old = file;
      file = next;
      dirty = next != null;
      if (old != null && old != next) {
        closeQuietly(old);
      }
    }

    void markDirty() {
      dirty = true;
    }
  }

  /** What is done with a chunk while its lock is held. */
  interface Action<T> {
    T with(Slot slot) throws IOException;
  }

  /** A change of a chunk while nobody else uses it. */
  interface Change {
    void to(Slot slot) throws IOException;
  }

  /** How a slot gets its file. */
  interface Loader {
    @Nullable ChunkFile load(Key key) throws IOException;
  }

  private final int limit;
  private final Disk disk;
  private final Function<IOException, TrefoilException> onFailure;
  private final ReentrantLock evicting = new ReentrantLock();
  private final Map<Key, Slot> slots = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param onFailure makes the error of an fsync that failed, after which nothing may be believed
   */
  OpenChunks(int limit, Disk disk, Function<IOException, TrefoilException> onFailure) {
    this.limit = limit;
    this.disk = disk;
    this.onFailure = onFailure;
  }

  <T> T reading(Key key, Loader loader, Action<T> action) throws IOException {
    Slot slot = enter(key);
    try {
      slot.lock.readLock().lock();
      try {
        if (slot.isUsable()) {
          return action.with(slot);
        }
      } finally {
        slot.lock.readLock().unlock();
      }
      return exclusive(slot, loader, action);
    } finally {
      leave(slot);
    }
  }

  void changing(Key key, Loader loader, Change change) throws IOException {
    Slot slot = enter(key);
    try {
      exclusive(
          slot,
          loader,
          own -> {
            change.to(own);
            return own;
          });
    } finally {
      leave(slot);
    }
  }

  boolean isOpen(Key key) {
    synchronized (slots) {
      return slots.containsKey(key);
    }
  }

  /** Forces every file that was changed before the call. */
  void sync() {
    List<Slot> dirty = new ArrayList<>();
    synchronized (slots) {
      for (Slot slot : slots.values()) {
        if (slot.dirty) {
          slot.users++;
          dirty.add(slot);
        }
      }
    }
    // An eviction that is under way has taken its slot out already, and forces it.
    awaitEviction();
    try {
      dirty.forEach(this::force);
    } finally {
      dirty.forEach(this::leave);
    }
  }

  @Override
  public void close() {
    synchronized (slots) {
      slots.values().forEach(slot -> slot.replace(null));
      slots.clear();
    }
  }

  private <T> T exclusive(Slot slot, Loader loader, Action<T> action) throws IOException {
    slot.lock.writeLock().lock();
    try {
      if (!slot.isUsable()) {
        slot.file = loader.load(slot.key);
      }
      return action.with(slot);
    } finally {
      slot.lock.writeLock().unlock();
    }
  }

  @SuppressWarnings("LockNotBeforeTry") // Nothing to protect: only to wait for who holds it.
  private void awaitEviction() {
    evicting.lock();
    evicting.unlock();
  }

  /** Holds no lock while the disk works: the file stays open, for the slot has a user. */
  private void force(Slot slot) {
    ChunkFile file;
    slot.lock.readLock().lock();
    try {
      file = slot.dirty ? slot.file : null;
      slot.dirty = false;
    } finally {
      slot.lock.readLock().unlock();
    }
    if (file == null) {
      return;
    }
    try {
      file.force(disk);
    } catch (IOException e) {
      // Unless it was deleted or replaced meanwhile; the replacement is dirty in turn.
      if (file == slot.file) {
        throw onFailure.apply(e);
      }
    }
  }

  private Slot enter(Key key) {
    boolean full;
    Slot slot;
    synchronized (slots) {
      slot = slots.computeIfAbsent(key, Slot::new);
      slot.users++;
      full = slots.size() > limit;
    }
    if (full) {
      try {
        evict();
      } catch (TrefoilException e) {
        leave(slot);
        throw e;
      }
    }
    return slot;
  }

  private void leave(Slot slot) {
    synchronized (slots) {
      slot.users--;
      if (slot.users == 0 && slot.file == null) {
        slots.remove(slot.key, slot);
      }
    }
  }

  private void evict() {
    evicting.lock();
    try {
      Slot victim = takeVictim();
      if (victim != null) {
        force(victim);
        victim.replace(null);
      }
    } finally {
      evicting.unlock();
    }
  }

  private @Nullable Slot takeVictim() {
    synchronized (slots) {
      Slot victim = null;
      Iterator<Slot> eldestFirst = slots.values().iterator();
      while (eldestFirst.hasNext() && (victim == null || victim.dirty)) {
        Slot slot = eldestFirst.next();
        boolean better = victim == null || !slot.dirty;
        victim = slot.users == 0 && better ? slot : victim;
      }
      if (victim != null) {
        slots.remove(victim.key);
      }
      return victim;
    }
  }

  private static void closeQuietly(ChunkFile file) {
    try {
      file.close();
    } catch (IOException e) {
      LOG.warn("closing a chunk file: {}", e.toString());
    }
  }
}
