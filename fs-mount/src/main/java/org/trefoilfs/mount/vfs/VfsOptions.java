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
 * @param handles what an earlier daemon of this mount left open, and where this one notes it
 * @param accessLists whether the kernel checks access control lists here; else they are refused
 */
public record VfsOptions(
    Duration timeout,
    Duration timesInterval,
    Predicate<CommitRule> async,
    HandleTable handles,
    boolean accessLists) {
  private static final Duration TIMES_INTERVAL = Duration.ofMillis(100);

  /** Beyond the time after which the volume and the namespace give up themselves. */
  private static final Duration MARGIN = Duration.ofSeconds(5);

  /**
   * The usual ones.
   *
   * @param patience how long the volume and the namespace wait for the cluster: they say what was
   *     in the way, and the timeout here only bounds their defects
   */
  public static VfsOptions outlasting(Duration patience, Predicate<CommitRule> async) {
    return new VfsOptions(patience.plus(MARGIN), TIMES_INTERVAL, async, HandleTable.NONE, false);
  }

  public VfsOptions withTimeout(Duration other) {
    return new VfsOptions(other, timesInterval, async, handles, accessLists);
  }

  public VfsOptions withHandles(HandleTable table) {
    return new VfsOptions(timeout, timesInterval, async, table, accessLists);
  }

  public VfsOptions withAccessLists(boolean checked) {
    return new VfsOptions(timeout, timesInterval, async, handles, checked);
  }
}
