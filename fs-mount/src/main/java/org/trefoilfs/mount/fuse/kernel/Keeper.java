package org.trefoilfs.mount.fuse.kernel;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.mount.fuse.ProcessId;

/**
 * A process that has a mount's descriptors open beside the daemon, so that the mount outlives it:
 * the kernel ends a connection when nobody has its /dev/fuse open (fuse_dev_release of
 * fs/fuse/dev.c).
 *
 * <p>It is a shell that waits for the end of a pipe of which the daemon has the other end, and
 * nobody writes. When the daemon is gone, however that came about, the shell keeps the descriptors
 * for the time that a next daemon has; that one takes them out of it (pidfd_getfd(2)), starts a
 * keeper of its own, and ends this one. Half a megabyte, in a session of its own, and no descriptor
 * of the daemon's besides.
 *
 * <p>When nobody has come, it aborts the connection. Closing the descriptors would not do: the
 * killed daemon may have been telling the kernel to forget a name, which waits, beyond SIGKILL and
 * with the descriptor in use, for the lock of the name's directory, which a call has that waits for
 * an answer.
 */
final class Keeper {
  /**
   * The parentheses matter: some shells redirect a command in their own process first, which would
   * not have the descriptors under these numbers meanwhile.
   */
  private static final String SCRIPT =
      "cd / && read -r nothing; (exec 3>&- 4>&- 5>&-; exec sleep \"$1\"); echo 1 >&5";

  private static final String NAME = "trefoil-keeper";

  // Of a keeper, in the order in which they are handed over.
  private static final int DEVICE = 3;
  private static final int TABLE = 4;

  private final ProcessId id;

  /** A pidfd: never another process that has got the number. */
  private final int process;

  /** The daemon's end of the pipe; -1 if it is another daemon's keeper. */
  private final int pipe;

  /**
   * What is kept.
   *
   * @param device an open /dev/fuse
   * @param table memory, for {@link SharedHandles}
   */
  record Descriptors(int device, int table) {}

  private Keeper(ProcessId id, int process, int pipe) {
    this.id = id;
    this.process = process;
    this.pipe = pipe;
  }

  /**
   * Starts one for this process.
   *
   * @param patience how long the mount outlives this process without another one; whole seconds
   * @param abort to be written to then: open from the beginning, since the number in its path may
   *     be another connection's later
   */
  static Keeper start(Descriptors kept, Duration patience, int abort) {
    ProcessCalls.Pipe pipe = ProcessCalls.pipe();
    try {
      long pid =
          Spawn.start(
              List.of("/bin/sh", "-c", SCRIPT, NAME, Long.toString(patience.toSeconds())),
              pipe.reading(),
              List.of(kept.device(), kept.table(), abort));
      return new Keeper(ProcessId.of(pid), ProcessCalls.open(pid), pipe.writing());
    } catch (RuntimeException e) {
      Native.close(pipe.writing());
      throw e;
    } finally {
      Native.close(pipe.reading());
    }
  }

  /** One that another process has started; empty when it is gone. */
  static Optional<Keeper> of(ProcessId id) {
    int process = id.lives() ? ProcessCalls.open(id.pid()) : -1;
    if (process < 0) {
      return Optional.empty();
    }
    // Looked at once more: now that the process is held, its number cannot be another's.
    if (!id.lives()) {
      Native.close(process);
      return Optional.empty();
    }
    return Optional.of(new Keeper(id, process, -1));
  }

  ProcessId id() {
    return id;
  }

  /** The same descriptors in this process; empty when it has ended, or may not be looked into. */
  Optional<Descriptors> descriptors() {
    int device = ProcessCalls.descriptorOf(process, DEVICE);
    int table = ProcessCalls.descriptorOf(process, TABLE);
    if (device >= 0 && table >= 0) {
      return Optional.of(new Descriptors(device, table));
    }
    for (int descriptor : List.of(device, table)) {
      if (descriptor >= 0) {
        Native.close(descriptor);
      }
    }
    return Optional.empty();
  }

  /** Leaves another process' keeper as it is; instead of {@link #end}. */
  void leave() {
    Native.close(process);
  }

  /** Ends the process; the mount ends with it if nobody else has its descriptors. Once. */
  void end() {
    ProcessCalls.killGroup(process);
    Native.close(process);
    if (pipe >= 0) {
      ProcessCalls.reap(id.pid());
      Native.close(pipe);
    }
  }
}
