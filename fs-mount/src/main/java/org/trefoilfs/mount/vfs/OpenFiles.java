package org.trefoilfs.mount.vfs;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Request;

/** The open files of a mount, those that an earlier daemon left open among them. */
final class OpenFiles {
  private final Handles<OpenInode> handles;
  private final HandleTable table;
  private final OpenInodes inodes;

  /** Handles that an earlier daemon gave, by the request that it may not have answered. */
  private final Map<Long, Long> openedBy = new ConcurrentHashMap<>();

  OpenFiles(HandleTable table, OpenInodes inodes) {
    this.handles = new Handles<>(table.before());
    this.table = table;
    this.inodes = inodes;
    for (HandleTable.Open left : table.left()) {
      handles.restored(left.handle(), () -> inodes.acquire(left.inode()));
      openedBy.put(left.request(), left.handle());
    }
  }

  /** Opens what has been acquired; the number that the request was given before, if it was. */
  long add(OpenInode open) {
    Request request = Request.current();
    @Nullable Long before = request.isResent() ? openedBy.remove(request.number()) : null;
    if (before != null && handles.get(before) == open) {
      inodes.release(open);
      return before;
    }
    long handle = handles.add(open);
    table.opened(new HandleTable.Open(handle, open.number(), request.number()));
    return handle;
  }

  OpenInode get(long handle) {
    return handles.get(handle);
  }

  OpenInode remove(long handle) {
    OpenInode removed = handles.remove(handle);
    table.closed(handle);
    return removed;
  }
}
