package org.trefoilfs.mount.vfs;

import java.util.Comparator;
import java.util.List;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.Names;

/** The open directories of a mount, those that an earlier daemon left open among them. */
final class DirectoryStreams {
  private final Handles<DirectoryStream> handles;
  private final HandleTable table;
  private final Names names;
  private final Waiting waiting;

  DirectoryStreams(HandleTable table, Names names, Waiting waiting) {
    this.handles = new Handles<>(table.before());
    this.table = table;
    this.names = names;
    this.waiting = waiting;
  }

  long open(long inode) {
    return handles.add(new DirectoryStream(inode, names, waiting));
  }

  /**
   * Entries from a position on, see {@link DirectoryStream#from}.
   *
   * @param inode the directory's, if an earlier daemon opened it
   */
  List<Dentry> read(long handle, long inode, long position) {
    return handle <= table.before()
        ? handles.restored(handle, () -> left(handle, inode, position)).from(position)
        : handles.get(handle).from(position);
  }

  /** Goes on after the name that was the last before the position. */
  private DirectoryStream left(long handle, long inode, long position) {
    DirectoryStream stream = new DirectoryStream(inode, names, waiting);
    table.places(handle).stream()
        .filter(place -> place.position() <= position)
        .max(Comparator.comparingLong(HandleTable.Place::position))
        .ifPresent(stream::goOn);
    return stream;
  }

  /** The kernel is told of the entries up to here. */
  void told(long handle, HandleTable.Place upTo) {
    table.read(handle, upTo);
  }

  void close(long handle) {
    table.closedDirectory(handle);
    handles.remove(handle);
  }
}
