package org.trefoilfs.mount.vfs;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.trefoilfs.mount.namespace.LockKind;

/**
 * Which owners may have locks through this mount, so that closing a file without any costs nothing.
 * An owner of OFD locks or of a flock goes with the handle by which it got them; the kernel names
 * owners of other POSIX locks whenever one of their descriptors is closed.
 */
final class HeldLocks {
  record Key(long inode, LockKind kind, long owner) {}

  private static final class Entry {
    final Set<Long> handles = new HashSet<>();
    long lastGrant;
  }

  /** What was got by one handle, in which session. */
  private record Got(long session, Set<Key> keys) {}

  private final Map<Key, Entry> entries = new HashMap<>();

  /** Changed under the monitor, looked at without. */
  private final Map<Long, Got> byHandle = new ConcurrentHashMap<>();

  private final Set<Long> lost = ConcurrentHashMap.newKeySet();
  private long grants;
  private long evicted;

  /** False when the session is over, and what it was granted with it. */
  synchronized boolean granted(Key key, long handle, long session) {
    if (session == evicted) {
      return false;
    }
    Entry entry = entries.computeIfAbsent(key, any -> new Entry());
    entry.lastGrant = ++grants;
    entry.handles.add(handle);
    byHandle.computeIfAbsent(handle, any -> new Got(session, new HashSet<>())).keys.add(key);
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
            return got.keys.isEmpty() ? null : got;
          });
    }
  }

  /** Owners that have got something by this handle since they last let all go. */
  synchronized List<Key> by(long handle) {
    Got got = byHandle.get(handle);
    return got == null ? List.of() : List.copyOf(got.keys);
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
