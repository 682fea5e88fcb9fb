package org.trefoilfs.tools.library;

import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.tools.mount.MountNote;

/** What there is of a mount that can outlive this process. */
record Kept(KernelConnection connection, MountNote note) {
  /** The mount is gone, or is to end with this process. May be repeated. */
  void end() {
    connection.close();
    note.delete();
  }
}
