package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.trefoilfs.mount.namespace.TreeReader.Child;

/**
 * What must hold of the namespace's rows whatever was asked of it: an fsck for tests. Reads every
 * row.
 */
final class TreeAudit {
  private final InMemoryKeyValue state;
  private final Map<Long, Inode> inodes = new HashMap<>();
  private final Map<Long, Integer> volumes = new HashMap<>();
  private final Map<Long, Integer> names = new HashMap<>();
  private final Map<Long, Integer> entries = new HashMap<>();
  private final Map<Long, Integer> subdirectories = new HashMap<>();
  private final Map<Long, Integer> xattrs = new HashMap<>();
  private final List<String> problems = new ArrayList<>();

  TreeAudit(InMemoryKeyValue state) {
    this.state = state;
  }

  List<String> problems() {
    scan('i', this::inode);
    scan('d', this::dentry);
    scan('x', (key, value) -> xattrs.merge(ByteBuffer.wrap(key).getLong(1), 1, Integer::sum));
    scan('o', this::orphan);
    scan('p', this::pin);
    scan('k', this::locks);
    scan('h', this::locked);
    scan('b', this::waits);
    inodes.values().forEach(this::counts);
    scan('v', this::volume);
    return problems;
  }

  private void inode(byte[] key, byte[] value) {
    long number = Keys.inodeIn(key);
    check(inodes.put(number, Inode.ofRow(number, value)) == null, "inode twice", number);
    volumes.put(number, ByteBuffer.wrap(key).getInt(1));
  }

  private void dentry(byte[] key, byte[] value) {
    long parent = ByteBuffer.wrap(key).getLong(1);
    Child child = Child.ofRow(value);
    Inode directory = inodes.get(parent);
    Inode inode = inodes.get(child.inode());
    if (directory == null || inode == null) {
      check(false, "dentry of or to nothing", parent);
      return;
    }
    check(directory.isDirectory() && directory.nlink > 0, "dentry in no directory", parent);
    check(inode.type() == child.type(), "dentry of another type", child.inode());
    check(volumes.get(parent).equals(volumes.get(child.inode())), "across volumes", parent);
    names.merge(child.inode(), 1, Integer::sum);
    entries.merge(parent, 1, Integer::sum);
    if (inode.isDirectory()) {
      subdirectories.merge(parent, 1, Integer::sum);
      check(inode.parent == parent, "directory elsewhere than its parent says", child.inode());
    }
  }

  private void orphan(byte[] key, byte[] value) {
    Inode inode = inodes.get(ByteBuffer.wrap(value).getLong(4));
    boolean sound = inode != null && inode.nlink == 0 && inode.orphan == Keys.sequenceIn(key);
    check(sound, "orphan row without its orphan", Keys.sequenceIn(key));
  }

  private void pin(byte[] key, byte[] value) {
    long inode = ByteBuffer.wrap(key).getLong(1);
    check(inodes.containsKey(inode), "pin of nothing", inode);
    byte[] reverse = Keys.pinOfSession(Keys.secondIn(key), inode);
    check(state.get(reverse) != null, "pin without its reverse", inode);
  }

  private void locks(byte[] key, byte[] value) {
    long number = ByteBuffer.wrap(key).getLong(1);
    FileLocks locks = LockRows.of(number, value);
    check(inodes.containsKey(number) && !locks.isEmpty(), "locks of nothing", number);
    for (HeldLock lock : locks.held()) {
      check(locks.blocker(lock).isEmpty(), "locks that conflict", number);
      byte[] found = Keys.lockedBySession(lock.owner().session(), number);
      check(state.get(found) != null, "lock that its session does not find", number);
    }
    for (LockWait wait : locks.waiting()) {
      byte[] found = Keys.lockWait(wait.wanted().owner().session(), wait.ticket());
      check(state.get(found) != null, "wait that its session does not find", number);
    }
  }

  private void locked(byte[] key, byte[] value) {
    long session = Keys.sessionIn(key);
    FileLocks locks = LockRows.read(state, Keys.secondIn(key));
    boolean found =
        locks.held().stream().anyMatch(lock -> lock.owner().session() == session)
            || locks.waiting().stream().anyMatch(w -> w.wanted().owner().session() == session);
    check(found, "session without locks", session);
  }

  private void waits(byte[] key, byte[] value) {
    FileLocks locks = LockRows.read(state, ByteBuffer.wrap(value).getLong());
    boolean found = locks.wait(Keys.sessionIn(key), Keys.secondIn(key)).isPresent();
    check(found, "ticket that does not wait", Keys.secondIn(key));
  }

  private void counts(Inode inode) {
    long number = inode.number;
    boolean root = inode.isDirectory() && inode.parent == number;
    int named = names.getOrDefault(number, 0);
    int links =
        !inode.isDirectory()
            ? named
            : named == 0 && !root ? 0 : 2 + subdirectories.getOrDefault(number, 0);
    check(inode.nlink == links, "nlink " + inode.nlink + " for " + links, number);
    check(!inode.isDirectory() || named <= 1, "directory of several names", number);
    check(inode.xattrs == xattrs.getOrDefault(number, 0), "count of attributes", number);
    check((inode.nlink == 0) == (inode.orphan > 0), "orphan or not", number);
    check(inode.orphan == 0 || state.get(Keys.orphan(inode.orphan)) != null, "unlisted", number);
    boolean counted = !inode.isDirectory() || inode.size == entries.getOrDefault(number, 0);
    check(counted, "count of entries", number);
    check(inode.isDirectory() ? reachesRoot(inode) : true, "loop", number);
  }

  private boolean reachesRoot(Inode directory) {
    Inode current = directory;
    for (int depth = 0; depth <= inodes.size(); depth++) {
      if (current == null || current.parent == current.number) {
        return true;
      }
      current = inodes.get(current.parent);
    }
    return false;
  }

  private void volume(byte[] key, byte[] value) {
    int volume = ByteBuffer.wrap(key).getInt(1);
    VolumeRow row = VolumeRow.ofRow(value);
    List<Inode> own =
        inodes.values().stream().filter(i -> volumes.get(i.number) == volume).toList();
    check(row.inodes() == own.size(), "count of inodes of volume", volume);
    check(row.bytes() == own.stream().mapToLong(Inode::charge).sum(), "bytes of volume", volume);
  }

  private void check(boolean holds, String problem, long of) {
    if (!holds) {
      problems.add(problem + ": " + of);
    }
  }

  private interface Row {
    void visit(byte[] key, byte[] value);
  }

  private void scan(char kind, Row row) {
    byte[] prefix = {(byte) kind};
    state.scan(
        prefix,
        prefix,
        (key, value) -> {
          row.visit(key, value);
          return true;
        });
  }
}
