package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.replication.Reason;

/**
 * A tree of plain objects that says what the namespace must do. It counts links by looking at all
 * names, so that it shares no bookkeeping with what it judges.
 */
final class ReferenceTree {
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final Reason reason;

    Refused(Reason reason) {
      super(reason.name(), null, false, false);
      this.reason = reason;
    }
  }

  static final class Node {
    long inode;
    FileType type;
    int permissions;
    int uid;
    int gid;
    long size;
    boolean holes;
    long atime;
    long mtime;
    long ctime;
    String target = "";
    Node parent;
    boolean gone;
    final TreeMap<String, Node> children = new TreeMap<>();
    final TreeMap<String, String> xattrs = new TreeMap<>();
  }

  record Path(Node base, List<String> names) {
    Location location() {
      return new Location(base.inode, names.stream().map(ReferenceTree::bytes).toList());
    }
  }

  private record Spot(Node directory, String name) {
    Node child() {
      Node child = directory.children.get(name);
      refuse(child == null, Reason.NOT_FOUND);
      return child;
    }
  }

  final List<Node> all = new ArrayList<>();
  final Set<Node> pinned = new HashSet<>();
  final Node root;
  long now;

  ReferenceTree(long rootInode, long now) {
    this.now = now;
    root = node(FileType.DIRECTORY, 0755);
    root.inode = rootInode;
    root.parent = root;
  }

  static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  Node resolve(Path at) {
    Node current = at.base;
    for (String name : at.names) {
      current = next(current, name);
    }
    refuse(current.gone, Reason.NOT_FOUND);
    return current;
  }

  Node create(Path at, FileType type, int permissions, String target) {
    refuse(at.names.isEmpty(), Reason.EXISTS);
    Spot spot = spot(at);
    refuse(spot.directory.children.containsKey(spot.name), Reason.EXISTS);
    Node node = node(type, permissions);
    node.uid = 5;
    node.gid = 6;
    node.target = target;
    node.size = target.length();
    if ((spot.directory.permissions & 02000) != 0) {
      node.gid = spot.directory.gid;
      node.permissions |= type == FileType.DIRECTORY ? 02000 : 0;
    }
    node.parent = type == FileType.DIRECTORY ? spot.directory : null;
    spot.directory.children.put(spot.name, node);
    entriesChanged(spot.directory);
    return node;
  }

  Node link(Path from, Path to) {
    Node node = resolve(from);
    refuse(to.names.isEmpty(), Reason.EXISTS);
    Spot spot = spot(to);
    refuse(spot.directory.children.containsKey(spot.name), Reason.EXISTS);
    refuse(node.type == FileType.DIRECTORY, Reason.NOT_PERMITTED);
    refuse(links(node) == 0, Reason.NOT_FOUND);
    spot.directory.children.put(spot.name, node);
    entriesChanged(spot.directory);
    node.ctime = now;
    return node;
  }

  void unlink(Path at) {
    refuse(at.names.isEmpty(), Reason.IS_DIRECTORY);
    Spot spot = spot(at);
    Node node = spot.child();
    refuse(node.type == FileType.DIRECTORY, Reason.IS_DIRECTORY);
    remove(spot, node);
  }

  void rmdir(Path at) {
    refuse(at.names.isEmpty(), Reason.BUSY);
    Spot spot = spot(at);
    Node node = spot.child();
    refuse(node.type != FileType.DIRECTORY, Reason.NOT_DIRECTORY);
    refuse(!node.children.isEmpty(), Reason.NOT_EMPTY);
    remove(spot, node);
  }

  void rename(Path from, Path to, RenameMode mode) {
    refuse(from.names.isEmpty(), Reason.BUSY);
    refuse(to.names.isEmpty(), mode == RenameMode.NO_REPLACE ? Reason.EXISTS : Reason.BUSY);
    Spot old = spot(from);
    Spot spot = spot(to);
    Node moved = old.child();
    Node there = spot.directory.children.get(spot.name);
    refuse(mode == RenameMode.NO_REPLACE && there != null, Reason.EXISTS);
    refuse(mode == RenameMode.EXCHANGE && there == null, Reason.NOT_FOUND);
    refuse(contains(moved, spot.directory), Reason.INVALID);
    refuse(mode == RenameMode.EXCHANGE && contains(there, old.directory), Reason.INVALID);
    if (there == moved) {
      return;
    }
    if (mode == RenameMode.EXCHANGE) {
      put(old, there);
    } else {
      replace(spot, moved, there);
      old.directory.children.remove(old.name);
    }
    put(spot, moved);
    entriesChanged(old.directory);
  }

  void setAttributes(Path at, AttributeChange change) {
    Node node = resolve(at);
    if (change.size().isPresent()) {
      checkSized(node);
      long size = change.size().getAsLong();
      node.holes = size != 0 && (node.holes || size > node.size);
      node.size = size;
      node.mtime = now;
    }
    node.permissions = change.mode().orElse(node.permissions);
    node.uid = change.uid().orElse(node.uid);
    node.gid = change.gid().orElse(node.gid);
    node.atime = change.times().atime().orElse(node.atime);
    node.mtime = change.times().mtime().orElse(node.mtime);
    node.ctime = now;
  }

  void wrote(Node node, long from, long end, long mtime, boolean clear) {
    refuse(node.gone, Reason.NOT_FOUND);
    checkSized(node);
    node.holes |= from > node.size;
    node.size = Math.max(node.size, end);
    node.mtime = Math.max(node.mtime, mtime);
    node.ctime = now;
    if (clear) {
      node.permissions &= (node.permissions & 010) != 0 ? ~06000 : ~04000;
    }
  }

  void setXattr(Path at, String name, String value, XattrMode mode) {
    Node node = resolve(at);
    boolean exists = node.xattrs.containsKey(name);
    refuse(mode == XattrMode.CREATE && exists, Reason.EXISTS);
    refuse(mode == XattrMode.REPLACE && !exists, Reason.NO_ATTRIBUTE);
    node.xattrs.put(name, value);
    node.ctime = now;
  }

  void removeXattr(Path at, String name) {
    Node node = resolve(at);
    refuse(node.xattrs.remove(name) == null, Reason.NO_ATTRIBUTE);
    node.ctime = now;
  }

  String readLink(Path at) {
    Node node = resolve(at);
    refuse(node.type != FileType.SYMBOLIC_LINK, Reason.INVALID);
    return node.target;
  }

  List<Node> orphans() {
    return all.stream().filter(node -> node != root && !node.gone && names(node) == 0).toList();
  }

  void reclaim() {
    orphans().stream().filter(node -> !pinned.contains(node)).forEach(node -> node.gone = true);
  }

  int links(Node node) {
    if (node.type != FileType.DIRECTORY) {
      return names(node);
    }
    boolean removed = node != root && names(node) == 0;
    long below = node.children.values().stream().filter(ReferenceTree::isDirectory).count();
    return removed ? 0 : 2 + (int) below;
  }

  Attributes attributes(Node node) {
    return new Attributes(
        node.inode,
        node.type.bits() | node.permissions,
        links(node),
        node.uid,
        node.gid,
        0,
        isDirectory(node) ? node.children.size() : node.size,
        node.atime,
        node.mtime,
        node.ctime,
        CommitRule.VOLUME,
        allocated(node),
        0,
        Writers.NONE);
  }

  private static long allocated(Node node) {
    if (node.type != FileType.REGULAR) {
      return 0;
    }
    return node.holes ? Attributes.UNKNOWN : (node.size + 4095) / 4096 * 4096;
  }

  private void replace(Spot spot, Node moved, Node there) {
    if (there == null) {
      return;
    }
    refuse(isDirectory(moved) && !isDirectory(there), Reason.NOT_DIRECTORY);
    refuse(!isDirectory(moved) && isDirectory(there), Reason.IS_DIRECTORY);
    refuse(!there.children.isEmpty(), Reason.NOT_EMPTY);
    remove(spot, there);
  }

  private void put(Spot spot, Node node) {
    spot.directory.children.put(spot.name, node);
    node.parent = isDirectory(node) ? spot.directory : null;
    node.ctime = now;
    entriesChanged(spot.directory);
  }

  private void remove(Spot spot, Node node) {
    spot.directory.children.remove(spot.name);
    entriesChanged(spot.directory);
    node.ctime = now;
  }

  private Spot spot(Path at) {
    int last = at.names.size() - 1;
    Node directory = resolve(new Path(at.base, at.names.subList(0, last)));
    refuse(directory.type != FileType.DIRECTORY, Reason.NOT_DIRECTORY);
    String name = at.names.get(last);
    refuse(name.length() > 255, Reason.NAME_TOO_LONG);
    boolean odd = name.isEmpty() || name.equals(".") || name.equals("..") || name.contains("/");
    refuse(odd, Reason.INVALID);
    refuse(links(directory) == 0, Reason.NOT_FOUND);
    return new Spot(directory, name);
  }

  private Node next(Node current, String name) {
    refuse(current.gone, Reason.NOT_FOUND);
    refuse(current.type != FileType.DIRECTORY, Reason.NOT_DIRECTORY);
    if (name.equals(".")) {
      return current;
    }
    if (name.equals("..")) {
      return current.parent;
    }
    Node child = current.children.get(name);
    refuse(child == null, name.length() > 255 ? Reason.NAME_TOO_LONG : Reason.NOT_FOUND);
    return child;
  }

  private Node node(FileType type, int permissions) {
    Node node = new Node();
    node.type = type;
    node.permissions = permissions;
    node.atime = now;
    node.mtime = now;
    node.ctime = now;
    all.add(node);
    return node;
  }

  private int names(Node node) {
    int count = 0;
    for (Node directory : all) {
      for (Node child : directory.children.values()) {
        count += child == node ? 1 : 0;
      }
    }
    return count;
  }

  private void entriesChanged(Node directory) {
    directory.mtime = now;
    directory.ctime = now;
  }

  private static boolean isDirectory(Node node) {
    return node.type == FileType.DIRECTORY;
  }

  private static boolean contains(Node ancestor, Node node) {
    Node current = node;
    while (current != ancestor) {
      if (current.parent == current) {
        return false;
      }
      current = current.parent;
    }
    return true;
  }

  private static void checkSized(Node node) {
    refuse(isDirectory(node), Reason.IS_DIRECTORY);
    refuse(node.type != FileType.REGULAR, Reason.INVALID);
  }

  private static void refuse(boolean when, Reason reason) {
    if (when) {
      throw new Refused(reason);
    }
  }
}
