package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The namespace of a volume as a mount uses it: every change is committed by a majority when its
 * future completes, every read is linearizable. Futures fail with {@code TrefoilException}:
 * NOT_FOUND, EXISTS, NOT_EMPTY, NOT_DIRECTORY, IS_DIRECTORY, NAME_TOO_LONG, TOO_MANY_LINKS,
 * NO_ATTRIBUTE, TOO_LARGE, INVALID; UNAVAILABLE and OUTCOME_UNKNOWN after the configured time.
 * Permissions are checked by the caller (the kernel, under {@code default_permissions}).
 */
public interface Names {
  /** The inode of the volume's root directory. */
  long root();

  CompletableFuture<Attributes> lookup(Location at);

  /** Makes an inode of any type; EXISTS when the name is taken. */
  CompletableFuture<Attributes> create(Location at, NewInode inode);

  /** As {@link #create}, of a regular file, and as {@link #beginWriting} of what was made. */
  CompletableFuture<Attributes> createToWrite(Location at, NewInode inode);

  /** Gives the inode at {@code from} (not a directory) another name. */
  CompletableFuture<Attributes> link(Location from, Location to);

  /**
   * Removes a name of anything but a directory. The last name gone, the inode is an orphan until
   * nobody holds it.
   */
  CompletableFuture<Void> unlink(Location at);

  CompletableFuture<Void> rmdir(Location at);

  /** rename(2), with RENAME_NOREPLACE and RENAME_EXCHANGE. */
  CompletableFuture<Void> rename(Location from, Location to, RenameMode mode);

  CompletableFuture<Attributes> setAttributes(Location at, AttributeChange change);

  /**
   * A write up to {@code end} has been committed: the size becomes at least that, the modification
   * time at least {@code mtime}, and set-user-id and set-group-id go, as write(2) has it for
   * unprivileged writers, when {@code privileges} says so.
   *
   * @param from where what was written begins, if it goes up to {@code end} without a gap or a
   *     block of zeros; else {@link #HOLES}. A file that may have holes is known as such from then
   *     on
   */
  CompletableFuture<Attributes> wrote(
      long inode, long from, long end, long mtime, Privileges privileges);

  /** Of {@link #wrote}. */
  long HOLES = Long.MAX_VALUE;

  /** As {@link #wrote}, of what the current {@link Request} has appended and must not again. */
  CompletableFuture<Attributes> appended(
      long inode, long from, long end, long mtime, Privileges privileges);

  CompletableFuture<byte[]> readLink(Location at);

  /**
   * Entries after the name {@code after} (empty: from the start) in byte order of names, at most
   * {@code limit}.
   */
  CompletableFuture<List<Dentry>> list(long directory, byte[] after, int limit);

  /** NO_ATTRIBUTE when absent. */
  CompletableFuture<byte[]> getXattr(Location at, byte[] name);

  CompletableFuture<Void> setXattr(Location at, byte[] name, byte[] value, XattrMode mode);

  CompletableFuture<Void> removeXattr(Location at, byte[] name);

  CompletableFuture<List<byte[]>> listXattrs(Location at);

  CompletableFuture<Usage> usage();

  /** Which orphans came after {@code cursor}; the mount pins those that it holds open. */
  CompletableFuture<Orphans> orphansAfter(long cursor);

  /** Keeps orphans alive for this session. */
  CompletableFuture<Void> pin(Set<Long> inodes);

  CompletableFuture<Void> unpin(Set<Long> inodes);

  /** The session that changes are made in; never 0. */
  long session();

  /**
   * Asks for the inode's write lease. The session has it if it is the holder in the answer; if
   * another is, that one has to be asked to let go ({@link #recall}).
   */
  CompletableFuture<Attributes> lease(long inode);

  /**
   * Asks for the inode's append lease, which nobody gets while another session has either lease.
   *
   * @return the session that has it now, or else the write lease
   */
  CompletableFuture<Long> leaseAppends(long inode);

  /** Lets append leases go: no append under them is under way. */
  CompletableFuture<Void> unleaseAppends(Set<Long> inodes);

  /**
   * Says that the session is going to write the file's bytes, other than under its write lease:
   * nobody has pages of it any more that need not be looked at again, unless they are this mount's.
   * The session is among the {@link Writers} in the answer.
   */
  CompletableFuture<Attributes> beginWriting(long inode);

  /** Nothing that the session has written through is on its way any more. */
  CompletableFuture<Void> endWriting(Set<Long> inodes);

  /** Tells those who have a lease of it that somebody waits for that to end. */
  CompletableFuture<Void> recall(long inode);

  /** Lets write leases go: what was written under them is committed. */
  CompletableFuture<Void> unlease(Set<Long> inodes);

  /**
   * Takes over the write leases of an earlier session of the same mount. STALE when that is over.
   */
  CompletableFuture<Void> inherit(long from);

  /** What is remembered of the answers here. */
  LookupCache cache();

  /** Locks of the session that there is now. */
  Locks locks();

  /** Of which inodes others wait for this session's leases. */
  CompletableFuture<Set<Long>> recalls();

  enum RenameMode {
    REPLACE,
    NO_REPLACE,
    EXCHANGE
  }

  enum XattrMode {
    CREATE_OR_REPLACE,
    CREATE,
    REPLACE
  }

  enum Privileges {
    KEEP,
    CLEAR_SET_ID
  }

  /** Inodes and bytes (sum of sizes) of the volume. */
  record Usage(long inodes, long bytes) {}

  /** Orphaned inodes, and the cursor to ask with next. */
  record Orphans(Set<Long> inodes, long cursor) {}
}
