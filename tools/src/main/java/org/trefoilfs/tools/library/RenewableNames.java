package org.trefoilfs.tools.library;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.trefoilfs.mount.namespace.AttributeChange;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Locks;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Names whose session can be replaced while they are in use: a mount that was out of touch for so
 * long that the cluster evicted it goes on under a new session.
 */
final class RenewableNames implements Names {
  private final BooleanSupplier full;
  private volatile Names current;

  /**
   * @param full whether nothing that takes space may be added: names live on the hosts' disks, too
   */
  RenewableNames(Names first, BooleanSupplier full) {
    this.current = first;
    this.full = full;
  }

  private <T> CompletableFuture<T> adding(Supplier<CompletableFuture<T>> change) {
    if (full.getAsBoolean()) {
      return CompletableFuture.failedFuture(
          new TrefoilException(
              Reason.NO_SPACE, "a host's disk is full; delete files or add space"));
    }
    return change.get();
  }

  void renew(Names next) {
    current = next;
  }

  @Override
  public long root() {
    return current.root();
  }

  @Override
  public CompletableFuture<Attributes> lookup(Location at) {
    return current.lookup(at);
  }

  @Override
  public CompletableFuture<Attributes> create(Location at, NewInode inode) {
    return adding(() -> current.create(at, inode));
  }

  @Override
  public CompletableFuture<Attributes> createToWrite(Location at, NewInode inode) {
    return adding(() -> current.createToWrite(at, inode));
  }

  @Override
  public CompletableFuture<Attributes> link(Location from, Location to) {
    return adding(() -> current.link(from, to));
  }

  @Override
  public CompletableFuture<Void> unlink(Location at) {
    return current.unlink(at);
  }

  @Override
  public CompletableFuture<Void> rmdir(Location at) {
    return current.rmdir(at);
  }

  @Override
  public CompletableFuture<Void> rename(Location from, Location to, RenameMode mode) {
    return current.rename(from, to, mode);
  }

  @Override
  public CompletableFuture<Attributes> setAttributes(Location at, AttributeChange change) {
    return current.setAttributes(at, change);
  }

  @Override
  public CompletableFuture<Attributes> wrote(
      long inode, long from, long end, long mtime, Privileges privileges) {
    return current.wrote(inode, from, end, mtime, privileges);
  }

  @Override
  public CompletableFuture<Attributes> appended(
      long inode, long from, long end, long mtime, Privileges privileges) {
    return current.appended(inode, from, end, mtime, privileges);
  }

  @Override
  public CompletableFuture<byte[]> readLink(Location at) {
    return current.readLink(at);
  }

  @Override
  public CompletableFuture<List<Dentry>> list(long directory, byte[] after, int limit) {
    return current.list(directory, after, limit);
  }

  @Override
  public CompletableFuture<byte[]> getXattr(Location at, byte[] name) {
    return current.getXattr(at, name);
  }

  @Override
  public CompletableFuture<Void> setXattr(Location at, byte[] name, byte[] value, XattrMode mode) {
    return adding(() -> current.setXattr(at, name, value, mode));
  }

  @Override
  public CompletableFuture<Void> removeXattr(Location at, byte[] name) {
    return current.removeXattr(at, name);
  }

  @Override
  public CompletableFuture<List<byte[]>> listXattrs(Location at) {
    return current.listXattrs(at);
  }

  @Override
  public CompletableFuture<Usage> usage() {
    return current.usage();
  }

  @Override
  public CompletableFuture<Orphans> orphansAfter(long cursor) {
    return current.orphansAfter(cursor);
  }

  @Override
  public CompletableFuture<Void> pin(Set<Long> inodes) {
    return current.pin(inodes);
  }

  @Override
  public CompletableFuture<Void> unpin(Set<Long> inodes) {
    return current.unpin(inodes);
  }

  @Override
  public long session() {
    return current.session();
  }

  @Override
  public LookupCache cache() {
    return current.cache();
  }

  @Override
  public Locks locks() {
    return current.locks();
  }

  @Override
  public CompletableFuture<Attributes> lease(long inode) {
    return current.lease(inode);
  }

  @Override
  public CompletableFuture<Void> recall(long inode) {
    return current.recall(inode);
  }

  @Override
  public CompletableFuture<Void> unlease(Set<Long> inodes) {
    return current.unlease(inodes);
  }

  @Override
  public CompletableFuture<Long> leaseAppends(long inode) {
    return current.leaseAppends(inode);
  }

  @Override
  public CompletableFuture<Void> unleaseAppends(Set<Long> inodes) {
    return current.unleaseAppends(inodes);
  }

  @Override
  public CompletableFuture<Attributes> beginWriting(long inode) {
    return current.beginWriting(inode);
  }

  @Override
  public CompletableFuture<Void> endWriting(Set<Long> inodes) {
    return current.endWriting(inodes);
  }

  @Override
  public CompletableFuture<Void> inherit(long from) {
    return current.inherit(from);
  }

  @Override
  public CompletableFuture<Set<Long>> recalls() {
    return current.recalls();
  }
}
