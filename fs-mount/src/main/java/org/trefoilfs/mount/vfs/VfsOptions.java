package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.function.Predicate;
import org.trefoilfs.mount.namespace.CommitRule;

/**
 * How a mount behaves.
 *
 * @param timeout no call waits longer for the namespace or the volume
 * @param timesInterval in-place writes tell the namespace their modification time this often
 * @param async whether a file with this rule is to be committed asynchronously, as things are now
 */
public record VfsOptions(Duration timeout, Duration timesInterval, Predicate<CommitRule> async) {
  /** The volume and the namespace give up after 30 s themselves; this only bounds their defects. */
  public static final VfsOptions DEFAULT =
      new VfsOptions(
          Duration.ofSeconds(35), Duration.ofMillis(100), rule -> rule == CommitRule.ASYNC);
}
