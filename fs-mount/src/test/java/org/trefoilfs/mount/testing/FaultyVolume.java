package org.trefoilfs.mount.testing;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/**
 * A volume whose calls fail, or are held back, when told so; a failed write may have been stored
 * all the same, as after a lost answer. Keeps what was called.
 */
public final class FaultyVolume implements Volume {
  /** Kinds of calls. */
  public enum Kind {
    READ,
    ALLOCATED,
    WRITE,
    PUNCH,
    FLUSH,
    DELETE
  }

  private final Volume volume;
  private final Map<Kind, Reason> failing = Collections.synchronizedMap(new EnumMap<>(Kind.class));
  private final Map<Kind, CompletableFuture<Void>> held =
      Collections.synchronizedMap(new EnumMap<>(Kind.class));
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private volatile boolean storesFailed;

  public FaultyVolume(Volume volume) {
    this.volume = volume;
  }

  public void fail(Kind kind, Reason reason) {
    failing.put(kind, reason);
  }

  /** Writes fail for the caller, but reach the replicas. */
  public void loseAnswers() {
    storesFailed = true;
    failing.put(Kind.WRITE, Reason.OUTCOME_UNKNOWN);
  }

  /** Answers of this kind wait for the future. */
  public CompletableFuture<Void> hold(Kind kind) {
    CompletableFuture<Void> gate = new CompletableFuture<>();
    held.put(kind, gate);
    return gate;
  }

  public void heal() {
    storesFailed = false;
    failing.clear();
    held.clear();
  }

  /** Calls but reads since the beginning: {@code "punch 4096+8192"}. */
  public List<String> calls() {
    return List.copyOf(calls);
  }

  @Override
  public CompletableFuture<ByteBuffer> read(long inode, long offset, int length) {
    return faulty(Kind.READ, () -> volume.read(inode, offset, length));
  }

  @Override
  public CompletableFuture<Void> write(long inode, long offset, ByteBuffer data) {
    calls.add("write " + offset + "+" + data.remaining());
    if (storesFailed) {
      volume.write(inode, offset, data).join();
    }
    return faulty(Kind.WRITE, () -> volume.write(inode, offset, data));
  }

  @Override
  public CompletableFuture<List<DataRange>> allocated(long inode, long offset, long length) {
    calls.add("allocated " + offset + "+" + length);
    return faulty(Kind.ALLOCATED, () -> volume.allocated(inode, offset, length));
  }

  @Override
  public CompletableFuture<Void> punch(long inode, long offset, long length) {
    calls.add("punch " + offset + "+" + length);
    return faulty(Kind.PUNCH, () -> volume.punch(inode, offset, length));
  }

  @Override
  public CompletableFuture<Void> flush(long inode) {
    calls.add("flush");
    return faulty(Kind.FLUSH, () -> volume.flush(inode));
  }

  @Override
  public CompletableFuture<Void> delete(long inode, long size) {
    calls.add("delete");
    return faulty(Kind.DELETE, () -> volume.delete(inode, size));
  }

  private <T> CompletableFuture<T> faulty(Kind kind, Supplier<CompletableFuture<T>> call) {
    Reason reason = failing.get(kind);
    if (reason != null) {
      return CompletableFuture.failedFuture(new TrefoilException(reason, "injected: " + kind));
    }
    CompletableFuture<Void> gate = held.get(kind);
    return gate == null ? call.get() : gate.thenCompose(open -> call.get());
  }
}
