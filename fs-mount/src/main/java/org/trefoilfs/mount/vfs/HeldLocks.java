package org.trefoilfs.mount.vfs;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.vfs.HandleTable.LockMark;

/**
 * Which owners may have locks through this mount, so that closing a file without any costs nothing.
 * An owner of OFD locks or of a flock goes with the handle by which it got them; the kernel names
 * owners of other POSIX locks whenever one of their descriptors is closed.
 */
final class HeldLocks {
  record Key(long inode, LockKind kind, long owner) {}

  private static final class Entry {
    final Set<Long> handles = new HashSet<>();

    /** It was got under an earlier daemon, by one of the handles. */
    boolean inherited;

    long lastGrant;
  }

  /** What was got by one handle, in which session. */
  private record Got(long session, Set<Key> keys) {}

  private final Map<Key, Entry> entries = new HashMap<>();

  /** Changed under the monitor, looked at without. */
  private final Map<Long, Got> byHandle = new ConcurrentHashMap<>();

  private final Set<Long> lost = ConcurrentHashMap.newKeySet();
  private final HandleTable table;
  private long grants;
  private long evicted;

  HeldLocks(HandleTable table) {
    this.table = table;
  }

  /**
   * An owner has got something under an earlier daemon, by one of these handles: it goes with the
   * last of them.
   */
  synchronized void inherited(Key key, Set<Long> handles, long session) {
    handles.forEach(handle -> granted(key, handle, session));
    Entry entry = entries.computeIfAbsent(key, any -> new Entry());
    entry.lastGrant = ++grants;
    entry.inherited = true;
  }

  /** The earlier session's locks went with it. */
  void lost(long handle) {
    lost.add(handle);
  }

  /** False when the session is over, and what it was granted with it. */
  synchronized boolean granted(Key key, long handle, long session) {
    if (session == evicted) {
      return false;
    }
    Entry entry = entries.computeIfAbsent(key, any -> new Entry());
    entry.lastGrant = ++grants;
    entry.handles.add(handle);
    byHandle
        .computeIfAbsent(
            handle,
            any -> {
              table.locked(handle, LockMark.SOME);
              return new Got(session, new HashSet<>());
            })
        .keys
        .add(key);
    return true;
  }

  /** The number of the last grant to the owner; 0 when it can have nothing. */
  synchronized long lastGrant(Key key) {
    Entry entry = entries.get(key);
    return entry == null ? 0 : entry.lastGrant;
  }

  /** The owner has nothing left, unless it was granted something since that grant. */
  synchronized void forget(Key key, long lastGrant) {
    Entry entry = entries.get(key);
    if (entry != null && entry.lastGrant == lastGrant) {
      remove(key, entry);
    }
  }

  private void remove(Key key, Entry entry) {
    entries.remove(key);
    for (long handle : entry.handles) {
      byHandle.computeIfPresent(
          handle,
          (any, got) -> {
            got.keys.remove(key);
            return left(handle, got);
          });
    }
  }

  private @Nullable Got left(long handle, Got got) {
    if (!got.keys.isEmpty()) {
      return got;
    }
    table.locked(handle, LockMark.NONE);
    return null;
  }

  /**
   * Owners that have got something by this handle, which is closed, since they last let all go; by
   * this handle alone, as far as is known.
   */
  synchronized List<Key> by(long handle) {
    Got got = byHandle.get(handle);
    if (got == null) {
      return List.of();
    }
    got.keys.removeIf(key -> isOfOthers(key, handle));
    byHandle.computeIfPresent(handle, (any, some) -> left(handle, some));
    return List.copyOf(got.keys);
  }

  private boolean isOfOthers(Key key, long handle) {
    Entry entry = entries.get(key);
    if (entry == null || !entry.inherited || entry.handles.size() == 1) {
      return false;
    }
    return entry.handles.remove(handle);
  }

  /** The session that has locks which were got by this handle. */
  OptionalLong session(long handle) {
    Got got = byHandle.get(handle);
    return got == null ? OptionalLong.empty() : OptionalLong.of(got.session);
  }

  /** The session is over: its locks may be others' from now on. */
  synchronized void evicted(long session) {
    evicted = session;
    lost.addAll(byHandle.keySet());
    entries.clear();
    byHandle.clear();
  }

  /** Whether a lock that was got by this handle went with an evicted session. */
  boolean isLost(long handle) {
    return !lost.isEmpty() && lost.contains(handle);
  }

  void closed(long handle) {
    lost.remove(handle);
  }
}
