package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.lease.Change;

/**
 * The trees of all volumes as a state machine: takes {@link Command}s and {@link Query}s, answers
 * {@link Reply}s. Regular errors are replies, so that a retry gets them again; a {@code
 * TrefoilException} is thrown for what is malformed, and changes nothing.
 */
public final class NamespaceModule implements StateModule {
  public static final byte ID = 2;

  @Override
  public byte id() {
    return ID;
  }

  @Override
  public byte[] apply(KeyValue state, byte[] bytes) {
    return switch (Command.of(bytes)) {
      case Command.Operate command -> applyOnce(state, command);
      case Command.EnsureRoot command -> ensureRoot(state, command).toBytes();
      case Command.Reclaim(List<Long> orphans) ->
          changing(
              state, changes -> new Reply.Reclaimed(Orphanage.reclaim(changes, orphans)).toBytes());
      case Command.DropPins(long session) -> changing(state, changes -> drop(changes, session));
      case Command.ReapVolume command ->
          changing(state, changes -> Reaping.reap(changes, command).toBytes());
    };
  }

  /**
   * Of a repeated command the first one's changes are announced again: whoever repeats it is not to
   * have the reply before they are known to those who leased what changed.
   */
  private static byte[] applyOnce(KeyValue state, Command.Operate command) {
    Changes changes = new Changes(state);
    byte[] reply =
        Sessions.once(
            state, command, () -> changes.behind(orRefusal(() -> operate(changes, command))));
    OperationId id = command.id();
    state.changes(
        new Change(id.session(), id.sequence(), command.oldestPending(), Changes.behind(reply)));
    return reply;
  }

  private static byte[] changing(KeyValue state, Function<KeyValue, byte[]> command) {
    Changes changes = new Changes(state);
    byte[] reply = command.apply(changes);
    state.changes(new Change(0, 0, 0, changes.keys()));
    return reply;
  }

  private static byte[] drop(KeyValue state, long session) {
    if (Sessions.succeedsAnOpenOne(state, session)) {
      return new Reply.Failed(Reason.BUSY).toBytes();
    }
    Sessions.letGo(state, session);
    TakingOver.keepReplies(state, session);
    Sessions.end(state, session);
    return new Reply.Done().toBytes();
  }

  @Override
  public byte[] query(KeyValueReader state, byte[] bytes) {
    Query query = Query.of(bytes);
    return orRefusal(() -> answer(state, query)).toBytes();
  }

  private static Reply operate(KeyValue state, Command.Operate command) {
    if (command.operation() instanceof Operation.TakeOver(long from)) {
      return TakingOver.takeOver(state, command, from);
    }
    TreeEdit tree = TreeEdit.of(state, command.volume(), command.now());
    Reply reply = operate(tree, command.id().session(), command.operation());
    tree.commit();
    return reply;
  }

  private static Reply operate(TreeEdit tree, long session, Operation operation) {
    return switch (operation) {
      case Operation.Create(Location at, NewInode inode) ->
          new Reply.Found(Naming.create(tree, at, inode));
      case Operation.CreateToWrite(Location at, NewInode inode) ->
          new Reply.Found(Writing.begin(tree, session, Naming.create(tree, at, inode).inode()));
      case Operation.BeginWriting(long inode) ->
          new Reply.Found(Writing.begin(tree, session, inode));
      case Operation.EndWriting(List<Long> inodes) ->
          done(() -> Writing.end(tree, session, inodes));
      case Operation.Link(Location from, Location to) ->
          new Reply.Found(Naming.link(tree, from, to));
      case Operation.Unlink(Location at) -> done(() -> Naming.unlink(tree, at));
      case Operation.Rmdir(Location at) -> done(() -> Naming.rmdir(tree, at));
      case Operation.Rename(Location from, Location to, Names.RenameMode mode) ->
          done(() -> Renaming.rename(tree, from, to, mode));
      case Operation.SetAttributes(Location at, AttributeChange change) ->
          new Reply.Found(Attributing.set(tree, at, change));
      case Operation.Wrote wrote -> new Reply.Found(Attributing.wrote(tree, wrote));
      case Operation.SetXattr set -> done(() -> Attributing.setXattr(tree, set));
      case Operation.RemoveXattr(Location at, byte[] name) ->
          done(() -> Attributing.removeXattr(tree, at, name));
      case Operation.Pin(List<Long> inodes) -> done(() -> Orphanage.pin(tree, session, inodes));
      case Operation.Unpin(List<Long> inodes) ->
          done(() -> Orphanage.unpin(tree.state(), session, inodes));
      case Operation.Lease(long inode) -> new Reply.Found(WriteLeases.lease(tree, session, inode));
      case Operation.Recall(long inode) -> done(() -> WriteLeases.recall(tree, session, inode));
      case Operation.Unlease(List<Long> inodes) ->
          done(() -> WriteLeases.unlease(tree, session, inodes));
      case Operation.LeaseAppends(long inode) ->
          new Reply.Numbers(List.of(WriteLeases.leaseAppends(tree, session, inode)));
      case Operation.UnleaseAppends(List<Long> inodes) ->
          done(() -> WriteLeases.unleaseAppends(tree, session, inodes));
      case Operation.Inherit(long from) -> done(() -> WriteLeases.inherit(tree, from, session));
      case Operation.InheritLocks(long from) ->
          new Reply.LocksAre(Locking.inherit(tree.state(), from, session));
      case Operation.Requested(long _, Operation asked) -> operate(tree, session, asked);
      case Operation.TakeOver _ -> throw Codec.malformed("a take-over within another operation");
      case Operation.Lock lock -> new Reply.LockIs(Locking.lock(tree, session, lock));
      case Operation.Unlock unlock -> new Reply.LockIs(Locking.unlock(tree, session, unlock));
      case Operation.WithdrawLock withdraw ->
          new Reply.LockIs(Locking.withdraw(tree, session, withdraw));
      case Operation.OvertakeLock overtake ->
          new Reply.LockIs(Locking.overtake(tree, session, overtake));
    };
  }

  private static Reply answer(KeyValueReader state, Query query) {
    return switch (query) {
      case Query.Lookup(int volume, Location at) ->
          new Reply.Found(new TreeReader(state, volume).resolve(at).attributes());
      case Query.ReadLink(int volume, Location at) -> {
        Inode inode = new TreeReader(state, volume).resolve(at);
        Refusal.when(inode.type() != FileType.SYMBOLIC_LINK, Reason.INVALID);
        yield new Reply.Bytes(inode.target);
      }
      case Query.ListEntries(int volume, long directory, byte[] after, int limit) ->
          new Reply.Entries(new TreeReader(state, volume).list(directory, after, limit));
      case Query.GetXattr(int volume, Location at, byte[] name) -> {
        TreeReader tree = new TreeReader(state, volume);
        byte[] value = tree.xattr(tree.resolve(at), name);
        yield value == null ? new Reply.Failed(Reason.NO_ATTRIBUTE) : new Reply.Bytes(value);
      }
      case Query.ListXattrs(int volume, Location at) -> {
        TreeReader tree = new TreeReader(state, volume);
        yield new Reply.NameList(tree.xattrs(tree.resolve(at)));
      }
      case Query.GetUsage(int volume) -> usage(state, volume);
      case Query.OrphansAfter(int volume, long cursor) ->
          new Reply.OrphansAre(Orphanage.after(state, volume, cursor));
      case Query.Reclaimable reclaimable -> Orphanage.reclaimable(state, reclaimable);
      case Query.Recalls(long session) -> WriteLeases.recalls(state, session);
      case Query.SessionsKept() -> Sessions.kept(state);
      case Query.TestLock test -> Locking.test(state, test);
      case Query.LockWaits waits -> Locking.waits(state, waits);
    };
  }

  private static Reply usage(KeyValueReader state, int volume) {
    VolumeRow row = VolumeRow.ofRow(state.get(Keys.volume(volume)));
    return row == null || row.deleted()
        ? new Reply.Failed(Reason.STALE)
        : new Reply.UsageIs(new Names.Usage(row.inodes(), row.bytes()));
  }

  private static Reply ensureRoot(KeyValue state, Command.EnsureRoot command) {
    VolumeRow row = VolumeRow.ofRow(state.get(Keys.volume(command.volume())));
    if (row != null && row.deleted()) {
      return new Reply.Failed(Reason.STALE);
    }
    long sequence = 0;
    if (command.session() != 0) {
      Long first = Sessions.open(state, command.session(), command.volume());
      if (first == null) {
        return new Reply.Failed(Reason.STALE);
      }
      sequence = first;
    }
    long root = row == null ? createRoot(state, command) : row.root();
    return new Reply.Root(root, sequence);
  }

  private static long createRoot(KeyValue state, Command.EnsureRoot command) {
    VolumeRow empty = new VolumeRow(0, 0, 0, 0);
    TreeEdit tree = new TreeEdit(state, command.volume(), command.now(), empty);
    Inode root = Naming.createRoot(tree);
    tree.rootIs(root);
    tree.commit();
    return root.number;
  }

  private static Reply done(Runnable change) {
    change.run();
    return new Reply.Done();
  }

  private static Reply orRefusal(Supplier<Reply> attempt) {
    try {
      return attempt.get();
    } catch (Refusal refusal) {
      return new Reply.Failed(refusal.reason());
    }
  }
}
