package org.trefoilfs.mount.namespace;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.StateModule;

/**
 * A state log of one host without a disk: applies and answers on the caller's thread, one at a
 * time.
 */
public final class InMemoryStateLog implements StateLog {
  private record Hosted(StateModule module, InMemoryKeyValue state) {}

  private final Map<Byte, Hosted> modules = new HashMap<>();

  public InMemoryStateLog(StateModule... modules) {
    for (StateModule module : modules) {
      InMemoryKeyValue state = new InMemoryKeyValue();
      module.restored(state);
      this.modules.put(module.id(), new Hosted(module, state));
    }
  }

  /** The rows of a module. */
  public InMemoryKeyValue state(byte module) {
    return hosted(module).state;
  }

  @Override
  public synchronized CompletableFuture<byte[]> submit(byte module, byte[] command) {
    return future(() -> apply(hosted(module), command));
  }

  @Override
  public synchronized CompletableFuture<byte[]> query(byte module, byte[] query) {
    return future(() -> hosted(module).module.query(hosted(module).state, query));
  }

  private static byte[] apply(Hosted hosted, byte[] command) {
    hosted.state.begin();
    byte[] reply;
    try {
      reply = hosted.module.apply(hosted.state, command);
    } catch (TrefoilException refused) {
      hosted.state.rollback();
      throw refused;
    }
    hosted.module.applied(hosted.state);
    return reply;
  }

  private Hosted hosted(byte module) {
    Hosted hosted = modules.get(module);
    if (hosted == null) {
      throw new TrefoilException(Reason.INVALID, "no module " + module + " on this log");
    }
    return hosted;
  }

  private static CompletableFuture<byte[]> future(Supplier<byte[]> work) {
    try {
      return CompletableFuture.completedFuture(work.get());
    } catch (RuntimeException failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }
}
