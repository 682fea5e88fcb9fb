package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.statelog.KeyValue;

/**
 * One command's changes of one volume's tree. It reads its own changes; inode rows and the volume's
 * usage are written once, by {@link #commit}. Whoever edits checks everything before the first
 * change: a {@link Refusal} later than that would leave half of it.
 */
final class TreeEdit extends TreeReader {
  /**
   * FUSE knows 1 as the root of every mount; so no inode gets that number.
   *
   * @see <a href="https://www.kernel.org/doc/html/latest/filesystems/fuse.html">FUSE</a>
   */
  private static final long RESERVED_INODES = 1;

  private final KeyValue state;
  private final long now;
  private final Map<Long, Inode> loaded = new HashMap<>();
  private final Map<Long, Inode> changed = new HashMap<>();
  private final VolumeRow before;
  private VolumeRow row;

  /** Fails with a {@link Refusal}, STALE, when the volume is not there. */
  static TreeEdit of(KeyValue state, int volume, long now) {
    VolumeRow row = VolumeRow.ofRow(state.get(Keys.volume(volume)));
    if (row == null || row.deleted()) {
      throw new Refusal(Reason.STALE);
    }
    return new TreeEdit(state, volume, now, row);
  }

  TreeEdit(KeyValue state, int volume, long now, VolumeRow row) {
    super(state, volume);
    this.state = state;
    this.now = now;
    this.before = row;
    this.row = row;
  }

  long now() {
    return now;
  }

  KeyValue state() {
    return state;
  }

  @Override
  @Nullable Inode find(long number) {
    Inode known = loaded.get(number);
    if (known == null) {
      known = super.find(number);
      if (known != null) {
        loaded.put(number, known);
      }
    }
    return known;
  }

  /** A new inode with all times now; its row is written at {@link #commit}. */
  Inode create(int mode) {
    Inode inode = new Inode(next(Keys.lastInode(), RESERVED_INODES), mode);
    inode.atime = now;
    inode.mtime = now;
    inode.ctime = now;
    row = row.plus(1, 0);
    loaded.put(inode.number, inode);
    changed.put(inode.number, inode);
    return inode;
  }

  /** The inode was changed: its row is written again, with a change time of now. */
  Inode touch(Inode inode) {
    // Clocks of mounts differ; a change time that goes back would hide the change from readers.
    inode.ctime = Math.max(inode.ctime, now);
    changed.put(inode.number, inode);
    return inode;
  }

  /** The inode's row is written again; nothing that users see of it was changed. */
  void changed(Inode inode) {
    changed.put(inode.number, inode);
  }

  /** Entries of the directory were changed. */
  void touchEntries(Inode directory) {
    directory.mtime = now;
    touch(directory);
  }

  void resize(Inode inode, long size) {
    row = row.plus(0, size - inode.size);
    inode.size = size;
    inode.extent = Math.max(inode.extent, size);
  }

  void enter(Place place, Inode inode) {
    enter(place, new Child(inode.number, inode.type()));
    place.directory().size++;
    touchEntries(place.directory());
  }

  /** Lets a name that exists name something else. */
  void enter(Place place, Child child) {
    state.put(Keys.dentry(place.directory().number, place.name()), child.toRow());
  }

  void leave(Place place) {
    state.delete(Keys.dentry(place.directory().number, place.name()));
    place.directory().size--;
    touchEntries(place.directory());
  }

  /** One name of the inode is gone; with the last one it becomes an orphan. */
  void drop(Inode inode) {
    inode.nlink = inode.isDirectory() ? 0 : inode.nlink - 1;
    touch(inode);
    if (inode.nlink == 0) {
      orphan(inode);
    }
  }

  void orphan(Inode inode) {
    inode.nlink = 0;
    inode.orphan = next(Keys.lastOrphan(), 0);
    byte[] value = ByteBuffer.allocate(12).putInt(volume()).putLong(inode.number).array();
    state.put(Keys.orphan(inode.orphan), value);
    changed.put(inode.number, inode);
  }

  /** Removes the inode's rows, but not names of it. */
  void erase(Inode inode) {
    for (byte[] name : xattrs(inode)) {
      state.delete(Keys.xattr(inode.number, name));
    }
    if (inode.orphan > 0) {
      state.delete(Keys.orphan(inode.orphan));
    }
    WriteLeases.dropOf(state, inode);
    Locking.dropOf(state, inode.number);
    state.delete(Keys.inode(volume(), inode.number));
    loaded.remove(inode.number);
    changed.remove(inode.number);
    row = row.plus(-1, -inode.charge());
  }

  void rootIs(Inode root) {
    row = new VolumeRow(root.number, row.inodes(), row.bytes(), row.reaped());
  }

  void reapedBelow(long inode) {
    row = row.reapedBelow(inode);
  }

  VolumeRow volumeRow() {
    return row;
  }

  void commit() {
    changed.forEach((number, inode) -> state.put(Keys.inode(volume(), number), inode.toRow()));
    if (!row.equals(before)) {
      state.put(Keys.volume(volume()), row.toRow());
    }
  }

  static long counter(byte @Nullable [] row, long none) {
    return row == null ? none : ByteBuffer.wrap(row).getLong();
  }

  private long next(byte[] counter, long none) {
    long next = counter(state.get(counter), none) + 1;
    state.put(counter, ByteBuffer.allocate(8).putLong(next).array());
    return next;
  }
}
