package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Names;

/**
 * The inodes in use at this mount, counted by use. An entry lives as long as a handle or a call
 * holds it, so the table is bounded by {@link Handles#LIMIT} plus the calls in progress.
 */
final class OpenInodes {
  private final ConcurrentMap<Long, Entry> entries = new ConcurrentHashMap<>();
  private final Names names;
  private final Duration timesInterval;

  OpenInodes(Names names, Duration timesInterval) {
    this.names = names;
    this.timesInterval = timesInterval;
  }

  OpenInode acquire(long inode) {
    return entries
        .compute(inode, (key, old) -> old == null ? new Entry(create(key), 1) : old.plus(1))
        .inode();
  }

  /** Whether that was the last use. */
  boolean release(OpenInode inode) {
    return entries.computeIfPresent(
            inode.number(), (key, old) -> old.uses() == 1 ? null : old.plus(-1))
        == null;
  }

  /** The inode, if it is in use. */
  @Nullable OpenInode peek(long inode) {
    Entry entry = entries.get(inode);
    return entry == null ? null : entry.inode();
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  Set<Long> among(Set<Long> inodes) {
    return inodes.stream().filter(entries::containsKey).collect(Collectors.toSet());
  }

  private OpenInode create(long inode) {
    return new OpenInode(inode, new WriteReports(inode, names, timesInterval));
  }

  private record Entry(OpenInode inode, int uses) {
    Entry plus(int more) {
      return new Entry(inode, uses + more);
    }
  }
}
