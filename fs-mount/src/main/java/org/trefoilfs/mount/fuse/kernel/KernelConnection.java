package org.trefoilfs.mount.fuse.kernel;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * A mount that can outlive the process which serves it: a {@link Keeper} has its descriptors, and
 * who serves it next goes on where this process stopped. One object serves one mount, once.
 *
 * <pre>{@code
 * connection = KernelConnection.open(time);              // or KernelConnection.left(state, ...)
 * vfs = new Vfs(..., options.withHandles(connection.handles()));
 * handle = connection.mount(vfs, path, options, noted);  // or connection.resume(...)
 * ...
 * connection.close();                                    // the mount is gone
 * }</pre>
 */
public final class KernelConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KernelConnection.class);

  /** The kernel's control of FUSE connections (fs/fuse/control.c), where it is mounted. */
  private static final String CONNECTIONS = "/sys/fs/fuse/connections";

  private static final String CONTROL_TYPE = "fusectl";

  private static final String NOWHERE = "/dev/null";

  /** Calls that take longer wait for what this process cannot give them any more. */
  private static final Duration LEAVING = Duration.ofSeconds(5);

  private final KernelTransport transport;
  private final Keeper.Descriptors descriptors;
  private final SharedHandles handles;

  /** The one of the process that served before. */
  private final Optional<Keeper> former;

  private Optional<Keeper> keeper = Optional.empty();

  private Optional<KernelSession> serves = Optional.empty();

  /** The descriptors are in the hands of what serves. */
  private boolean served;

  /**
   * What the next process has to know; INIT is not sent again.
   *
   * @param device {@code st_dev} of the mount, {@code major:minor}
   * @param minor the protocol's version that was agreed on
   * @param maxWrite bytes of the largest WRITE that was agreed on
   */
  public record State(String device, int minor, int maxWrite, ProcessId keeper) {}

  private KernelConnection(
      KernelTransport transport, Keeper.Descriptors descriptors, Optional<Keeper> former) {
    this.transport = transport;
    this.descriptors = descriptors;
    this.handles = new SharedHandles(descriptors.table());
    this.former = former;
  }

  /** Of a mount that is yet to be made. Fails as mounting does. */
  public static KernelConnection open(TimeSource time) {
    return open(new KernelTransport(time));
  }

  static KernelConnection open(KernelTransport transport) {
    int device = KernelTransport.open();
    int table = ProcessCalls.memory("trefoil-handles");
    return new KernelConnection(transport, new Keeper.Descriptors(device, table), Optional.empty());
  }

  /** Of a mount that an earlier process has served; empty when it cannot be served on. */
  public static Optional<KernelConnection> left(State state, Path path, TimeSource time) {
    return left(state, path, new KernelTransport(time));
  }

  static Optional<KernelConnection> left(State state, Path path, KernelTransport transport) {
    if (state.maxWrite() > RequestBuffer.MAX_IO || !isMounted(state, path)) {
      return Optional.empty();
    }
    Optional<Keeper> keeper = Keeper.of(state.keeper());
    Optional<Keeper.Descriptors> taken = keeper.flatMap(Keeper::descriptors);
    if (taken.isPresent() && !ProcessCalls.isAborted(taken.get().device())) {
      return Optional.of(new KernelConnection(transport, taken.get(), keeper));
    }
    String why =
        taken.isPresent()
            ? "it was aborted"
            : "its keeper %d %s"
                .formatted(
                    state.keeper().pid(),
                    keeper.isPresent()
                        ? "may not be looked into (containers need --cap-add SYS_PTRACE)"
                        : "is gone");
    log.warn("the mount at {} cannot be served on: {}", path, why);
    taken.ifPresent(KernelConnection::release);
    keeper.ifPresent(Keeper::leave);
    return Optional.empty();
  }

  private static boolean isMounted(State state, Path path) {
    return MountTable.at(path).filter(at -> at.device().equals(state.device())).isPresent();
  }

  /** Ends what an earlier process has left: calls that wait fail. */
  public static void abandon(State state) {
    Keeper.of(state.keeper()).ifPresent(Keeper::end);
  }

  /** Open files, with those that the earlier process had. */
  public HandleTable handles() {
    return handles;
  }

  /** What is served where. */
  public record Serving(Vfs vfs, Path path, MountOptions options) {}

  /**
   * Mounts and serves.
   *
   * @param noted told, before anything is served, what the next process has to know; never when the
   *     mount cannot outlive this one, as on Linux before 6.9
   */
  public MountHandle mount(Serving serving, Consumer<State> noted) {
    served = true;
    try {
      KernelSession session =
          transport.attach(serving.vfs(), serving.path(), serving.options(), descriptors.device());
      Handshake handshake = KernelTransport.shakeHands(session, serving.options());
      keepIfPossible(serving, handshake, noted);
      session.serve(KernelTransport.readers(serving.options()));
      serves = Optional.of(session);
      return session;
    } finally {
      Native.close(descriptors.table());
    }
  }

  private void keepIfPossible(Serving serving, Handshake handshake, Consumer<State> noted) {
    String why = "to outlive it, it needs Linux 6.9";
    try {
      if (handshake.resends()) {
        keep(serving, handshake.minor(), noted);
        return;
      }
    } catch (TrefoilException e) {
      close();
      why = e.getMessage();
    }
    log.warn("the mount at {} ends with this process: {}", serving.path(), why);
  }

  /**
   * Serves on, whatever was left half done first.
   *
   * @param state of the earlier process
   * @param resent what the namespace had answered to the earlier process
   * @param noted as of {@link #mount}
   */
  public MountHandle resume(
      Serving serving, State state, ResentRequests resent, Consumer<State> noted) {
    served = true;
    try {
      keep(serving, state.minor(), noted);
    } catch (RuntimeException e) {
      Native.close(descriptors.device());
      throw e;
    } finally {
      Native.close(descriptors.table());
    }
    former.ifPresent(Keeper::end);
    KernelTransport.Served served = new KernelTransport.Served(descriptors.device(), resent, true);
    KernelSession session =
        transport.session(serving.vfs(), serving.path(), serving.options(), served);
    session.resume(KernelTransport.readers(serving.options()));
    serves = Optional.of(session);
    return session;
  }

  private void keep(Serving serving, int minor, Consumer<State> noted) {
    String device = MountTable.at(serving.path()).map(MountTable.Mount::device).orElse("");
    int abort = openControl(device);
    boolean abortable = abort >= 0;
    int ending = abortable ? abort : Native.open(NOWHERE);
    Keeper started;
    try {
      started = Keeper.start(descriptors, serving.options().orphanTimeout(), ending);
    } finally {
      Native.close(ending);
    }
    keeper = Optional.of(started);
    serving.vfs().cache().givesEntries(abortable);
    noted.accept(new State(device, minor, RequestBuffer.MAX_IO, started.id()));
  }

  /** What aborts the connection; below 0 if there is none. Mounted here where systemd does not. */
  private static int openControl(String device) {
    String path = CONNECTIONS + device.replaceFirst(".*:", "/") + "/abort";
    int control = Native.open(path);
    if (control < 0 && Native.mount(CONTROL_TYPE, CONNECTIONS, CONTROL_TYPE, 0, "") == 0) {
      log.info("mounted {} at {}", CONTROL_TYPE, CONNECTIONS);
      return Native.open(path);
    }
    return control;
  }

  /**
   * Leaves the mount to the next process: calls under way end, those that come wait for it.
   *
   * @return false when the mount ends with this process
   */
  public boolean leave() {
    if (keeper.isEmpty() || serves.isEmpty()) {
      return false;
    }
    serves.get().leave(LEAVING);
    return true;
  }

  /** The mount is gone, or is to end with this process. */
  @Override
  public synchronized void close() {
    keeper.ifPresent(Keeper::end);
    keeper = Optional.empty();
    if (!served) {
      served = true;
      release(descriptors);
      former.ifPresent(Keeper::leave);
    }
  }

  private static void release(Keeper.Descriptors descriptors) {
    Native.close(descriptors.device());
    Native.close(descriptors.table());
  }
}
