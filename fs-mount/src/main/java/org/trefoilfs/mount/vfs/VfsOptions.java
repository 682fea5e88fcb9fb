package org.trefoilfs.mount.vfs;

import java.time.Duration;

/**
 * How a mount behaves.
 *
 * @param timeout no call waits longer for the namespace or the volume
 * @param timesInterval in-place writes tell the namespace their modification time this often
 */
public record VfsOptions(Duration timeout, Duration timesInterval) {
  /** The volume and the namespace give up after 30 s themselves; this only bounds their defects. */
  public static final VfsOptions DEFAULT =
      new VfsOptions(Duration.ofSeconds(35), Duration.ofMillis(100));
}
