package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;

/**
 * A place in the tree: names to walk from an inode. No names means the inode itself; the last name
 * need not exist. Names are bytes in whatever encoding their creator used. Symbolic links are not
 * followed: the kernel does that.
 */
public record Location(long base, List<byte[]> names) {
  public Location {
    names = List.copyOf(names);
  }

  public static Location of(long inode) {
    return new Location(inode, List.of());
  }

  public static Location of(long parent, byte[] name) {
    return new Location(parent, List.of(name));
  }

  /** Splits a path such as {@code /a/b}; empty parts are skipped. */
  public static Location ofPath(long root, byte[] path) {
    List<byte[]> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        if (i > start) {
          names.add(java.util.Arrays.copyOfRange(path, start, i));
        }
        start = i + 1;
      }
    }
    return new Location(root, names);
  }
}
