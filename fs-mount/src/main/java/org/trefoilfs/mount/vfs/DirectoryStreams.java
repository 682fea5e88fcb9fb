package org.trefoilfs.mount.vfs;

import org.trefoilfs.mount.namespace.Names;

/**
 * The open directories of a mount. One that an earlier daemon opened is opened anew where it is
 * read next: at the same count of entries, which another place may be if names before it have come
 * or gone meanwhile.
 */
final class DirectoryStreams {
  private final Handles<DirectoryStream> handles;
  private final long before;
  private final Names names;
  private final Waiting waiting;

  DirectoryStreams(long before, Names names, Waiting waiting) {
    this.handles = new Handles<>(before);
    this.before = before;
    this.names = names;
    this.waiting = waiting;
  }

  long open(long inode) {
    return handles.add(new DirectoryStream(inode, names, waiting));
  }

  DirectoryStream get(long handle, long inode) {
    return handle <= before
        ? handles.restored(handle, () -> new DirectoryStream(inode, names, waiting))
        : handles.get(handle);
  }

  void close(long handle) {
    handles.remove(handle);
  }
}
