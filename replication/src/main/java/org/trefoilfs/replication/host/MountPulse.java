package org.trefoilfs.replication.host;

import java.util.List;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/** A mount of this process whose session is kept alive; asked each second. */
public interface MountPulse {
  /** Up to where it has looked after orphans. */
  long orphanCursor();

  /** What would be lost if this process died now. */
  SpoolWindow window();

  /** Of which files. */
  List<SpooledRange> ranges();

  /** The cluster gave the session up. Called once, on a thread that must not block. */
  void evicted();
}
