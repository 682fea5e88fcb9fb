package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.statelog.KeyValueReader;

/** One volume's tree as its rows show it. Walking costs one read per name, and one at the end. */
class TreeReader {
  /** What a dentry names. */
  record Child(long inode, FileType type) {
    byte[] toRow() {
      return ByteBuffer.allocate(9).putLong(inode).put((byte) (type.bits() >> 12)).array();
    }

    static Child ofRow(byte[] row) {
      ByteBuffer in = ByteBuffer.wrap(row);
      return new Child(in.getLong(), FileType.ofMode(in.get() << 12));
    }
  }

  /** A directory, and a name that may be made or found in it. */
  record Place(Inode directory, byte[] name) {}

  private static final byte[] DOT = {'.'};
  private static final byte[] DOT_DOT = {'.', '.'};

  private final KeyValueReader rows;
  private final int volume;

  TreeReader(KeyValueReader rows, int volume) {
    this.rows = rows;
    this.volume = volume;
  }

  int volume() {
    return volume;
  }

  @Nullable Inode find(long inode) {
    rows.reads(LeaseKeys.inode(inode));
    return peek(inode);
  }

  private @Nullable Inode peek(long inode) {
    byte[] row = rows.get(Keys.inode(volume, inode));
    return row == null ? null : Inode.ofRow(inode, row);
  }

  Inode inode(long number) {
    Inode inode = find(number);
    if (inode == null) {
      throw new Refusal(Reason.NOT_FOUND);
    }
    return inode;
  }

  @Nullable Child find(long directory, byte[] name) {
    rows.reads(LeaseKeys.entry(directory, name));
    byte[] row = rows.get(Keys.dentry(directory, name));
    return row == null ? null : Child.ofRow(row);
  }

  Child child(Place place) {
    Child child = find(place.directory().number, place.name());
    if (child == null) {
      throw new Refusal(Reason.NOT_FOUND);
    }
    return child;
  }

  /** The inode at the end of the walk. */
  Inode resolve(Location at) {
    return inode(walk(at.base(), at.names()));
  }

  /** The directory and the name that the walk ends with; there is at least one name. */
  Place place(Location at) {
    int last = at.names().size() - 1;
    Inode directory = inode(walk(at.base(), at.names().subList(0, last)));
    Refusal.when(!directory.isDirectory(), Reason.NOT_DIRECTORY);
    byte[] name = at.names().get(last);
    checkName(name);
    Refusal.when(directory.nlink == 0, Reason.NOT_FOUND);
    return new Place(directory, name);
  }

  List<Dentry> list(long number, byte[] after, int limit) {
    Inode directory = inode(number);
    Refusal.when(!directory.isDirectory(), Reason.NOT_DIRECTORY);
    byte[] prefix = Keys.dentries(number);
    byte[] from = after.length == 0 ? prefix : Keys.after(Keys.dentry(number, after));
    int most = Math.clamp(limit, 1, Limits.LISTING);
    List<byte[]> names = new ArrayList<>();
    List<Child> children = new ArrayList<>();
    rows.scan(
        prefix,
        from,
        (key, row) -> {
          names.add(Keys.nameIn(key));
          children.add(Child.ofRow(row));
          return names.size() < most;
        });
    List<Dentry> entries = new ArrayList<>(names.size());
    for (int i = 0; i < names.size(); i++) {
      rows.reads(LeaseKeys.entry(number, names.get(i)));
      entries.add(new Dentry(names.get(i), inode(children.get(i).inode()).attributes()));
    }
    return entries;
  }

  byte @Nullable [] xattr(Inode inode, byte[] name) {
    if (CommitRule.isNamedBy(name)) {
      return inode.commit == CommitRule.VOLUME ? null : inode.commit.value();
    }
    return inode.xattrs == 0 ? null : rows.get(Keys.xattr(inode.number, name));
  }

  List<byte[]> xattrs(Inode inode) {
    List<byte[]> names = new ArrayList<>(inode.xattrs + 1);
    if (inode.commit != CommitRule.VOLUME) {
      names.add(CommitRule.attributeName());
    }
    if (inode.xattrs > 0) {
      byte[] prefix = Keys.xattrs(inode.number);
      rows.scan(prefix, prefix, (key, row) -> names.add(Keys.nameIn(key)));
    }
    return names;
  }

  /**
   * A dentry proves that what it lies in is a live directory, so rows of inodes on the way are read
   * only where a name is missing.
   */
  private long walk(long base, List<byte[]> names) {
    long current = base;
    FileType type = FileType.DIRECTORY;
    for (byte[] name : names) {
      Refusal.when(type != FileType.DIRECTORY, Reason.NOT_DIRECTORY);
      Child child = isDots(name) ? dots(current, name) : find(current, name);
      if (child == null) {
        throw missing(current, name);
      }
      current = child.inode();
      type = child.type();
    }
    return current;
  }

  /** Does not depend on the directory's row as long as that is one. */
  private Refusal missing(long directory, byte[] name) {
    Inode inode = peek(directory);
    if (inode == null) {
      return new Refusal(Reason.NOT_FOUND);
    }
    if (!inode.isDirectory()) {
      return new Refusal(Reason.NOT_DIRECTORY);
    }
    return new Refusal(name.length > Limits.NAME ? Reason.NAME_TOO_LONG : Reason.NOT_FOUND);
  }

  private Child dots(long number, byte[] name) {
    Inode directory = inode(number);
    Refusal.when(!directory.isDirectory(), Reason.NOT_DIRECTORY);
    return new Child(name.length == DOT.length ? number : directory.parent, FileType.DIRECTORY);
  }

  private static boolean isDots(byte[] name) {
    return name.length <= 2
        && (java.util.Arrays.equals(name, DOT) || java.util.Arrays.equals(name, DOT_DOT));
  }

  private static void checkName(byte[] name) {
    Refusal.when(name.length > Limits.NAME, Reason.NAME_TOO_LONG);
    Refusal.when(name.length == 0 || isDots(name), Reason.INVALID);
    for (byte b : name) {
      Refusal.when(b == '/' || b == 0, Reason.INVALID);
    }
  }
}
