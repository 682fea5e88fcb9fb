package org.trefoilfs.mount.fuse;

import java.nio.file.Path;
import java.time.Duration;

/** A mount that is served by this process. */
public interface MountHandle {
  Path mountPoint();

  /**
   * Takes the mount away; one that is in use is detached, and served until its last user lets go or
   * this process ends.
   */
  void unmount();

  /** Whether this process still serves the mount. */
  boolean mounted();

  /** Waits until the mount is gone, however that came about; false after the time-out. */
  boolean awaitExit(Duration timeout) throws InterruptedException;

  CallStatistics statistics();
}
