package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.statelog.StateLog;

/**
 * A volume's namespace through the state log, for one session. Operations are numbered, so that the
 * state log may submit one again whenever it does not know what became of it. Thread-safe.
 */
public final class StateLogNames implements Names {
  private final SessionLog log;
  private final int volume;
  private final long session;
  private final long root;
  private final LookupCache cache;
  private final Locks locks;

  private StateLogNames(SessionLog log, int volume, long session, long root, LookupCache cache) {
    this.log = log;
    this.volume = volume;
    this.session = session;
    this.root = root;
    this.cache = cache;
    this.locks = new StateLogLocks(log, volume, session);
  }

  /**
   * Opens a volume, making its root if it is new. When a session opens a volume twice, operations
   * through the earlier object fail with STALE from then on.
   *
   * @param session the mount's session, not 0; never reused once it is over
   */
  public static CompletableFuture<StateLogNames> open(
      StateLog log, int volumeId, long session, TimeSource time) {
    return open(log, volumeId, session, time, LookupCache.NONE);
  }

  /**
   * @param cache what the mount remembers; this session's leases stand behind it from now on
   */
  public static CompletableFuture<StateLogNames> open(
      StateLog log, int volumeId, long session, TimeSource time, LookupCache cache) {
    byte[] command = new Command.EnsureRoot(volumeId, session, time.wallNanos()).toBytes();
    return log.submit(NamespaceModule.ID, command)
        .thenApply(
            reply ->
                switch (Reply.of(reply)) {
                  case Reply.Root(long root, long first) ->
                      new StateLogNames(
                          new SessionLog(log, volumeId, session, time, first, cache),
                          volumeId,
                          session,
                          root,
                          cache);
                  case Reply.Failed failed ->
                      throw Failures.of("open volume " + volumeId, failed.reason());
                  default -> throw Codec.malformed("not an answer to opening a volume");
                });
  }

  @Override
  public long root() {
    return root;
  }

  @Override
  public CompletableFuture<Attributes> lookup(Location at) {
    return log.lookup(at, () -> "look up " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Attributes> create(Location at, NewInode inode) {
    return log.once(
        new Operation.Create(at, inode),
        StateLogNames::attributes,
        () -> "create " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Attributes> createToWrite(Location at, NewInode inode) {
    return log.once(
        new Operation.CreateToWrite(at, inode),
        StateLogNames::attributes,
        () -> "create " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Attributes> link(Location from, Location to) {
    return log.once(
        new Operation.Link(from, to),
        StateLogNames::attributes,
        () -> "link " + Failures.text(from) + " as " + Failures.text(to));
  }

  @Override
  public CompletableFuture<Void> unlink(Location at) {
    return log.applyOnce(new Operation.Unlink(at), () -> "remove " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Void> rmdir(Location at) {
    return log.applyOnce(new Operation.Rmdir(at), () -> "remove directory " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Void> rename(Location from, Location to, RenameMode mode) {
    return log.applyOnce(
        new Operation.Rename(from, to, mode),
        () -> "rename " + Failures.text(from) + " to " + Failures.text(to));
  }

  @Override
  public CompletableFuture<Attributes> setAttributes(Location at, AttributeChange change) {
    return log.once(
        new Operation.SetAttributes(at, change),
        StateLogNames::attributes,
        () -> "change attributes of " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Attributes> wrote(
      long inode, long from, long end, long mtime, Privileges privileges) {
    return log.change(
        new Operation.Wrote(inode, from, end, mtime, privileges),
        StateLogNames::attributes,
        () -> "record a write up to byte " + end + " of inode " + inode);
  }

  @Override
  public CompletableFuture<Attributes> appended(
      long inode, long from, long end, long mtime, Privileges privileges) {
    return log.once(
        new Operation.Wrote(inode, from, end, mtime, privileges),
        StateLogNames::attributes,
        () -> "record what was appended up to byte " + end + " of inode " + inode);
  }

  @Override
  public CompletableFuture<byte[]> readLink(Location at) {
    return log.ask(
        new Query.ReadLink(volume, at),
        StateLogNames::bytes,
        () -> "read link " + Failures.text(at));
  }

  @Override
  public CompletableFuture<List<Dentry>> list(long directory, byte[] after, int limit) {
    return log.list(directory, after, limit, () -> "list inode " + directory);
  }

  @Override
  public CompletableFuture<byte[]> getXattr(Location at, byte[] name) {
    return log.ask(
        new Query.GetXattr(volume, at, name),
        StateLogNames::bytes,
        () -> "get attribute '" + Failures.text(name) + "' of " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Void> setXattr(Location at, byte[] name, byte[] value, XattrMode mode) {
    return log.applyOnce(
        new Operation.SetXattr(at, name, value, mode),
        () -> "set attribute '" + Failures.text(name) + "' of " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Void> removeXattr(Location at, byte[] name) {
    return log.applyOnce(
        new Operation.RemoveXattr(at, name),
        () -> "remove attribute '" + Failures.text(name) + "' of " + Failures.text(at));
  }

  @Override
  public CompletableFuture<List<byte[]>> listXattrs(Location at) {
    return log.ask(
        new Query.ListXattrs(volume, at),
        reply -> ((Reply.NameList) reply).names(),
        () -> "list attributes of " + Failures.text(at));
  }

  @Override
  public CompletableFuture<Usage> usage() {
    return log.ask(
        new Query.GetUsage(volume),
        reply -> ((Reply.UsageIs) reply).usage(),
        () -> "ask how much volume " + volume + " holds");
  }

  @Override
  public CompletableFuture<Orphans> orphansAfter(long cursor) {
    return log.ask(
        new Query.OrphansAfter(volume, cursor),
        reply -> ((Reply.OrphansAre) reply).orphans(),
        () -> "list orphans of volume " + volume);
  }

  @Override
  public CompletableFuture<Void> pin(Set<Long> inodes) {
    return inBatches(inodes, Operation.Pin::new, "pin");
  }

  @Override
  public CompletableFuture<Void> unpin(Set<Long> inodes) {
    return inBatches(inodes, Operation.Unpin::new, "unpin");
  }

  @Override
  public long session() {
    return session;
  }

  @Override
  public LookupCache cache() {
    return cache;
  }

  /** Another session's leases stand behind the cache from now on. */
  public void close() {
    log.close();
  }

  @Override
  public Locks locks() {
    return locks;
  }

  @Override
  public CompletableFuture<Attributes> lease(long inode) {
    return log.change(
        new Operation.Lease(inode),
        StateLogNames::attributes,
        () -> "lease inode " + inode + " for writing");
  }

  @Override
  public CompletableFuture<Void> recall(long inode) {
    return log.apply(new Operation.Recall(inode), () -> "recall the lease of inode " + inode);
  }

  @Override
  public CompletableFuture<Void> unlease(Set<Long> inodes) {
    return inBatches(inodes, Operation.Unlease::new, "let go of");
  }

  @Override
  public CompletableFuture<Long> leaseAppends(long inode) {
    return log.change(
        new Operation.LeaseAppends(inode),
        reply -> ((Reply.Numbers) reply).values().getFirst(),
        () -> "lease inode " + inode + " for appending");
  }

  @Override
  public CompletableFuture<Void> unleaseAppends(Set<Long> inodes) {
    return inBatches(inodes, Operation.UnleaseAppends::new, "let go of");
  }

  @Override
  public CompletableFuture<Attributes> beginWriting(long inode) {
    return log.change(
        new Operation.BeginWriting(inode),
        StateLogNames::attributes,
        () -> "begin to write inode " + inode);
  }

  @Override
  public CompletableFuture<Void> endWriting(Set<Long> inodes) {
    return inBatches(inodes, Operation.EndWriting::new, "end writing");
  }

  @Override
  public CompletableFuture<Void> inherit(long from) {
    return log.apply(
        new Operation.Inherit(from), () -> "take over leases of " + Long.toHexString(from));
  }

  @Override
  public CompletableFuture<Set<Long>> recalls() {
    return log.ask(
        new Query.Recalls(session),
        reply -> Set.copyOf(((Reply.Numbers) reply).values()),
        () -> "ask which leases are recalled");
  }

  private CompletableFuture<Void> inBatches(
      Set<Long> inodes, Function<List<Long>, Operation> operation, String verb) {
    List<Long> all = inodes.stream().sorted().toList();
    CompletableFuture<Void> result = CompletableFuture.completedFuture(null);
    for (int from = 0; from < all.size(); from += Limits.BATCH) {
      List<Long> batch = all.subList(from, Math.min(all.size(), from + Limits.BATCH));
      result =
          result.thenCompose(
              done ->
                  log.apply(operation.apply(batch), () -> verb + " " + batch.size() + " inodes"));
    }
    return result;
  }

  /** Takes over the locks of an earlier session of the same mount. STALE when that is over. */
  public CompletableFuture<List<InheritedLock>> inheritLocks(long from) {
    return log.change(
        new Operation.InheritLocks(from),
        reply -> ((Reply.LocksAre) reply).locks(),
        () -> "take over locks of " + Long.toHexString(from));
  }

  /**
   * Ends an earlier session of the same mount, and takes over what it had answered to the kernel's
   * requests. Before anything else is done in this session; see {@link Operation.TakeOver}.
   */
  public CompletableFuture<Void> takeOver(long from, ResentRequests requests) {
    return log.takeOver(from, requests);
  }

  private static Attributes attributes(Reply reply) {
    return ((Reply.Found) reply).attributes();
  }

  private static byte[] bytes(Reply reply) {
    return ((Reply.Bytes) reply).value();
  }
}
