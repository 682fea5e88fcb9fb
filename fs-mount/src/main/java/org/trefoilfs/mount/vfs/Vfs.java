package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.HeldLock;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LockRequest;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.namespace.LookupCache.Belief;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.volume.Volume;

/**
 * What each POSIX call means at one mount, whatever transport brings it. Calls block, at most for
 * {@link VfsOptions#timeout}, and fail with {@link TrefoilException}.
 *
 * <p>Coherent by asking: nothing that another mount could change is remembered between calls.
 * Inodes are named by number; one that is gone is STALE, a name that is not there NOT_FOUND.
 * Permissions have been checked by whoever calls (the kernel, under {@code default_permissions}).
 */
public final class Vfs {
  private static final Logger log = LoggerFactory.getLogger(Vfs.class);

  private final Names names;
  private final TimeSource time;
  private final Supplier<Capacity> capacity;
  private final Waiting waiting;
  private final OpenInodes inodes;
  private final WriteBack writeBack;
  private final XattrPolicy xattrPolicy;
  private final FileData data;
  private final Holes holes;
  private final RangeCopies copies;
  private final OrphanKeeper orphans;
  private final MountLocks locks;
  private final OpenFiles files;
  private final DirectoryStreams directories;
  private final KernelPages pages;

  public Vfs(
      Names names,
      Volume volume,
      Supplier<Capacity> capacity,
      TimeSource time,
      VfsOptions options) {
    this.names = names;
    this.time = time;
    this.capacity = capacity;
    this.waiting = new Waiting(options.timeout());
    this.inodes = new OpenInodes(names, options.timesInterval());
    this.pages = new KernelPages(waiting, inodes, time, names::session, this::glance);
    this.writeBack = new WriteBack(names, volume, time, waiting, options.async());
    this.data = new FileData(names, volume, time, waiting, writeBack, pages);
    this.holes = new Holes(volume, waiting, writeBack, time);
    this.copies = new RangeCopies(data, holes);
    this.orphans = new OrphanKeeper(names, inodes);
    this.files = new OpenFiles(options.handles(), inodes);
    this.directories = new DirectoryStreams(options.handles(), names, waiting);
    this.xattrPolicy = new XattrPolicy(options.accessLists());
    this.locks = new MountLocks(names, time, options.timeout(), options.handles());
  }

  public long root() {
    return names.root();
  }

  public OrphanKeeper orphans() {
    return orphans;
  }

  /** What is committed asynchronously here. */
  public WriteBack writeBack() {
    return writeBack;
  }

  /** What is remembered of names and attributes here. */
  public LookupCache cache() {
    return names.cache();
  }

  /** Which pages the kernel may use. */
  public KernelPages pages() {
    return pages;
  }

  public MountLocks locks() {
    return locks;
  }

  public Capacity capacity() {
    return capacity.get();
  }

  // ---- inodes

  public Attributes lookup(long parent, byte[] name) {
    Attributes found = waiting.read(names.lookup(Location.of(parent, name)));
    // Of a file in use, here or at another mount, something may still be on its way: only asking by
    // inode can wait for it, or overlay it.
    boolean newer = inodes.peek(found.inode()) != null || found.holder() != 0;
    return newer ? attributes(found.inode()) : found;
  }

  public Attributes attributes(long inode) {
    OpenInode open = inodes.peek(inode);
    long pending = open == null ? Long.MIN_VALUE : open.reports().uncommittedTime();
    Attributes found = writeBack.settled(() -> stale(names.lookup(Location.of(inode))));
    return writeBack.overlaid(found.written(0, pending));
  }

  /** The attributes for a read(2), for which the kernel will use what pages it then has. */
  public Attributes attributesForRead(long inode) {
    return pages.toRead(attributes(inode));
  }

  /** Without asking another mount for what it holds back. */
  private Attributes glance(long inode) {
    return waiting.read(names.lookup(Location.of(inode)));
  }

  /** The attributes with what the inode's data takes, for which the storage hosts may be asked. */
  public Attributes counted(Attributes found) {
    return holes.counted(found);
  }

  /** Applies chmod, chown, truncate and utimensat; a new size sets the modification time, too. */
  public Attributes setAttributes(long inode, AttributeRequest request) {
    AttributeRequest full = withTruncationTime(request);
    if (full.size().isEmpty() && full.times().keep()) {
      writeBack.drain();
      waiting.change(stale(names.setAttributes(Location.of(inode), full.resolve(time))));
      return attributes(inode);
    }
    writeBack.drain();
    return using(inode, open -> data.setAttributes(open, full.resolve(time)));
  }

  // ---- names

  public Attributes make(long parent, byte[] name, NewInode inode) {
    writeBack.drain();
    return waiting.change(names.create(Location.of(parent, name), inode));
  }

  public Attributes link(long inode, long parent, byte[] name) {
    writeBack.drain();
    return waiting.change(names.link(Location.of(inode), Location.of(parent, name)));
  }

  public void unlink(long parent, byte[] name) {
    writeBack.drain();
    Location at = Location.of(parent, name);
    pinIfOpen(at);
    waiting.<@Nullable Void>change(names.unlink(at));
  }

  public void rmdir(long parent, byte[] name) {
    writeBack.drain();
    waiting.<@Nullable Void>change(names.rmdir(Location.of(parent, name)));
  }

  public void rename(Location from, Location to, RenameMode mode) {
    writeBack.drain();
    if (mode == RenameMode.REPLACE) {
      pinIfOpen(to);
    }
    Belief left = names.cache().belief(from);
    Belief entered = mode == RenameMode.EXCHANGE ? names.cache().belief(to) : null;
    waiting.<@Nullable Void>change(names.rename(from, to, mode));
    awaitDoubt(left, to);
    awaitDoubt(entered, from);
  }

  /**
   * The kernel moves what it took the name to be of, and goes on believing it of the new name.
   * Where another mount had put another inode there first, the caller is answered when the kernel
   * asks again.
   */
  private void awaitDoubt(@Nullable Belief belief, Location now) {
    if (belief != null && !holds(belief, now)) {
      waiting.<@Nullable Void>change(
          new CompletableFuture<@Nullable Void>()
              .completeOnTimeout(
                  null, belief.untilNanos() - time.nanoTime(), TimeUnit.NANOSECONDS));
    }
  }

  /** Whether it is so, and we hear of it when that ends. */
  private boolean holds(Belief belief, Location now) {
    Long inode = belief.inode();
    return inode != null
        && inode == lookupOrZero(now)
        && names.cache().believed(now, inode, belief.untilNanos());
  }

  public byte[] readLink(long inode) {
    return waiting.read(stale(names.readLink(Location.of(inode))));
  }

  // ---- directories

  public long openDirectory(long inode) {
    Attributes found = attributes(inode);
    if (!found.isDirectory()) {
      throw new TrefoilException(Reason.NOT_DIRECTORY, "inode " + inode + " is not a directory");
    }
    return directories.open(inode);
  }

  /**
   * Entries of an open directory, the first at {@code position} counted from 0, as many as are at
   * hand; none at the end. Neither "." nor "..". Position 0 reads anew.
   *
   * @param inode the directory's, of a handle that an earlier daemon gave
   */
  public List<Dentry> readDirectory(long handle, long inode, long position) {
    return directories.read(handle, inode, position);
  }

  /** The kernel is told of an open directory's entries up to this one. */
  public void toldOf(long handle, HandleTable.Place upTo) {
    directories.told(handle, upTo);
  }

  public void closeDirectory(long handle) {
    directories.close(handle);
  }

  // ---- files

  public long open(long inode) {
    return open(inode, found -> {});
  }

  /**
   * A file that is open for reading alone.
   *
   * @param keepsPages whether the kernel reads it through its page cache, with what is there
   */
  public record OpenToRead(long handle, boolean keepsPages) {}

  public OpenToRead openToRead(long inode) {
    boolean[] keeps = new boolean[1];
    long handle = open(inode, found -> keeps[0] = pages.mayKeep(found));
    return new OpenToRead(handle, keeps[0]);
  }

  private long open(long inode, Consumer<Attributes> seen) {
    OpenInode open = inodes.acquire(inode);
    try {
      Attributes found = open.seen(attributes(inode));
      if (found.nlink() == 0) {
        // Its name went between the kernel's look and now: the orphan poll may be past it.
        waiting.<@Nullable Void>change(orphans.pin(Set.of(inode)));
        found = attributes(inode);
      }
      seen.accept(found);
      return files.add(open);
    } catch (RuntimeException e) {
      letGo(open);
      throw e;
    }
  }

  /**
   * Makes and opens a file; opens the one that is there unless {@link OpenFlags#EXCLUSIVE} is set.
   */
  public Opened create(long parent, byte[] name, NewInode inode, int flags) {
    try {
      writeBack.drain();
      Attributes made = waiting.change(names.createToWrite(Location.of(parent, name), inode));
      OpenInode open = inodes.acquire(made.inode());
      open.seen(made);
      writeBack.writing().made(made);
      return new Opened(files.add(open), made);
    } catch (TrefoilException e) {
      if (e.reason() != Reason.EXISTS || OpenFlags.has(flags, OpenFlags.EXCLUSIVE)) {
        throw e;
      }
      return openExisting(parent, name, flags);
    }
  }

  /** Another mount made it between the kernel's look and our attempt. */
  private Opened openExisting(long parent, byte[] name, int flags) {
    Attributes found = lookup(parent, name);
    if (found.type() != FileType.REGULAR) {
      throw new TrefoilException(
          found.isDirectory() ? Reason.IS_DIRECTORY : Reason.STALE,
          "another mount made something that is not a file at this name");
    }
    long handle = open(found.inode());
    try {
      return OpenFlags.has(flags, OpenFlags.TRUNCATE)
          ? new Opened(handle, setAttributes(found.inode(), AttributeRequest.truncate(0)))
          : new Opened(handle, found);
    } catch (RuntimeException e) {
      release(handle);
      throw e;
    }
  }

  public ByteBuffer read(long handle, long offset, int length) {
    locks.checkLost(handle);
    return data.read(files.get(handle), offset, length);
  }

  public int write(long handle, WriteRequest request) {
    return data.write(files.get(handle), request, locks.session(handle));
  }

  /** close(2) of one descriptor: what was told lazily is committed. */
  public void flush(long handle) {
    data.flush(files.get(handle));
  }

  /** close(2) by this owner of POSIX locks, which lose all that it has of the file. */
  public void flush(long handle, long owner) {
    OpenInode file = files.get(handle);
    try {
      data.flush(file);
    } finally {
      awaitLetGo(locks.closed(new HeldLocks.Key(file.number(), LockKind.POSIX, owner)));
    }
  }

  /** Goes on behind the call if it takes too long: nobody could do anything about it. */
  private void awaitLetGo(CompletableFuture<Void> unlocked) {
    try {
      waiting.<@Nullable Void>change(unlocked);
    } catch (TrefoilException e) {
      log.warn("locks of a closed file are let go later: {}", e.getMessage());
    }
  }

  public void sync(long handle) {
    data.sync(files.get(handle));
  }

  /** fdatasync(2). */
  public void syncData(long handle) {
    data.syncData(files.get(handle));
  }

  public void allocate(long handle, AllocateRequest request) {
    data.allocate(files.get(handle), request, locks.session(handle));
  }

  /**
   * lseek(2) to data or to a hole. Empty when there is none: at the end of the file or behind it,
   * or where nothing but a hole follows.
   */
  public OptionalLong seek(long handle, long offset, Seek to) {
    locks.checkLost(handle);
    Attributes found = attributes(files.get(handle).number());
    return switch (to) {
      case DATA -> holes.nextData(found, offset);
      case HOLE -> holes.nextHole(found, offset);
    };
  }

  /** What {@link #seek} looks for. */
  public enum Seek {
    DATA,
    HOLE
  }

  /** One side of {@link #copy}. */
  public record Place(long handle, long offset) {}

  /**
   * copy_file_range(2): how many bytes were copied, perhaps fewer than wanted; 0 at the end.
   *
   * @param flags of writes, as {@link OpenFlags}
   */
  public long copy(Place from, Place to, long length, int flags, Caller caller) {
    locks.checkLost(from.handle());
    OpenInode source = files.get(from.handle());
    OpenInode target = files.get(to.handle());
    long copied =
        copies.copy(
            new RangeCopies.Side(source, from.offset(), OptionalLong.empty()),
            attributes(source.number()),
            new RangeCopies.Side(target, to.offset(), locks.session(to.handle())),
            length,
            caller);
    if (OpenFlags.has(flags, OpenFlags.DATA_SYNC)) {
      data.syncData(target);
    }
    return copied;
  }

  /** The last descriptor of an open file description is gone. */
  public void release(long handle) {
    OpenInode file = files.remove(handle);
    try {
      data.flush(file);
    } finally {
      awaitLetGo(locks.released(handle));
      letGo(file);
    }
  }

  // ---- locks

  /** Somebody else's lock that is in the way; of another mount's, the process is not told: 0. */
  public Optional<HeldLock> testLock(long handle, LockRequest request) {
    OpenInode file = files.get(handle);
    return waiting
        .read(stale(names.locks().test(file.number(), request)))
        .map(lock -> lock.owner().session() == names.session() ? lock : lock.by(0));
  }

  public PendingLock lock(long handle, LockRequest request, LockPatience patience) {
    locks.checkLost(handle);
    return locks.request(files.get(handle).number(), handle, request, patience);
  }

  /** What was written is seen by who gets the lock next, and so is the time of it. */
  public CompletableFuture<Void> unlock(long handle, LockKind kind, long owner, LockRange range) {
    OpenInode file = files.get(handle);
    return file.reports()
        .drain()
        .handle((told, failure) -> new HeldLocks.Key(file.number(), kind, owner))
        .thenCompose(key -> locks.unlock(key, range));
  }

  // ---- extended attributes

  public byte[] xattr(long inode, byte[] name) {
    xattrPolicy.check(name);
    return waiting.read(names.getXattr(Location.of(inode), name));
  }

  public void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) {
    xattrPolicy.check(name);
    beforeAttribute(inode, name);
    waiting.<@Nullable Void>change(names.setXattr(Location.of(inode), name, value, mode));
  }

  /** A file whose way of commit changes is in nobody's hands meanwhile. */
  private void beforeAttribute(long inode, byte[] name) {
    writeBack.drain();
    if (CommitRule.isNamedBy(name)) {
      writeBack.end(inode);
      attributes(inode);
    }
  }

  public void removeXattr(long inode, byte[] name) {
    xattrPolicy.check(name);
    beforeAttribute(inode, name);
    waiting.<@Nullable Void>change(names.removeXattr(Location.of(inode), name));
  }

  public List<byte[]> xattrs(long inode, Caller caller) {
    return waiting.read(names.listXattrs(Location.of(inode))).stream()
        .filter(name -> XattrPolicy.visible(name, caller))
        .toList();
  }

  /** A file that {@link #create} has opened. */
  public record Opened(long handle, Attributes attributes) {}

  private AttributeRequest withTruncationTime(AttributeRequest request) {
    boolean sets = !(request.times().modification() instanceof TimeSetting.Keep);
    if (request.size().isEmpty() || sets) {
      return request;
    }
    return new AttributeRequest(
        request.mode(),
        request.uid(),
        request.gid(),
        request.size(),
        new AttributeRequest.TimeSettings(request.times().access(), TimeSetting.NOW));
  }

  /** An orphan must be pinned before the namespace may collect it. */
  private void pinIfOpen(Location at) {
    if (inodes.isEmpty()) {
      return;
    }
    long inode = lookupOrZero(at);
    if (inodes.peek(inode) != null) {
      waiting.<@Nullable Void>change(orphans.pin(Set.of(inode)));
    }
  }

  private long lookupOrZero(Location at) {
    try {
      return waiting.read(names.lookup(at)).inode();
    } catch (TrefoilException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return 0;
      }
      throw e;
    }
  }

  private <T> T using(long inode, java.util.function.Function<OpenInode, T> action) {
    OpenInode open = inodes.acquire(inode);
    try {
      return action.apply(open);
    } finally {
      letGo(open);
    }
  }

  private void letGo(OpenInode open) {
    if (inodes.release(open)) {
      orphans.closed(open.number());
      writeBack.writing().closed(open.number());
    }
  }

  /** What is addressed by inode number has been there: if it is not now, it went away. */
  private static <T> CompletableFuture<T> stale(CompletableFuture<T> asked) {
    return asked.exceptionallyCompose(
        failure -> {
          TrefoilException known = TrefoilException.of(failure);
          return CompletableFuture.failedFuture(
              known.reason() == Reason.NOT_FOUND
                  ? new TrefoilException(Reason.STALE, "the file is gone", known)
                  : known);
        });
  }
}
