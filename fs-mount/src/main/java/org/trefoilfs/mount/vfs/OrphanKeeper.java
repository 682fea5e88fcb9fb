package org.trefoilfs.mount.vfs;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Names;

/**
 * Keeps alive the files that have lost their last name, here or at another mount, while they are
 * open at this one.
 */
public final class OrphanKeeper {
  private static final Logger log = LoggerFactory.getLogger(OrphanKeeper.class);

  private final Names names;
  private final OpenInodes inodes;
  private final Set<Long> pinned = new HashSet<>();
  private long cursor;

  OrphanKeeper(Names names, OpenInodes inodes) {
    this.names = names;
    this.inodes = inodes;
  }

  /**
   * Pins the orphans since the last call that are open here; called each second. A failed call
   * leaves the cursor, so the next one asks again.
   *
   * @return the new cursor
   */
  public CompletableFuture<Long> poll() {
    long from;
    synchronized (this) {
      from = cursor;
    }
    return names
        .orphansAfter(from)
        .thenCompose(
            orphans ->
                pin(inodes.among(orphans.inodes())).thenApply(done -> advance(orphans.cursor())));
  }

  /** Pins what is open here and about to lose a name, or has just lost it. */
  CompletableFuture<Void> pin(Set<Long> open) {
    if (open.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return names
        .pin(open)
        .thenRun(
            () -> {
              synchronized (this) {
                pinned.addAll(open);
              }
              // Closed while the pin was on its way: release() did not see it.
              open.stream().filter(inode -> inodes.peek(inode) == null).forEach(this::closed);
            });
  }

  /** The last use of an inode at this mount has ended. */
  void closed(long inode) {
    synchronized (this) {
      if (!pinned.remove(inode)) {
        return;
      }
    }
    names
        .unpin(Set.of(inode))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                log.warn("inode {} stays pinned until this session ends", inode, failure);
              }
            });
  }

  private synchronized long advance(long to) {
    cursor = Math.max(cursor, to);
    return cursor;
  }
}
