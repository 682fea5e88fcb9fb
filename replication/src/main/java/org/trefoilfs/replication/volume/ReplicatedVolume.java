package org.trefoilfs.replication.volume;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PlacementMap;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message;

/**
 * A volume over its placement groups: cuts ranges into chunks, finds each chunk's group and its
 * primary, and tries again with a newer map when views change, until the configured time is over.
 */
public final class ReplicatedVolume implements Volume {
  private final int replicas;
  private final Cluster cluster;

  private final LongSupplier session;
  private final Unflushed unflushed;
  private final FlushCalls flushes;

  /** What a volume needs of the process that it lives in. */
  public interface Cluster {
    /** The newest placement map known here. */
    PlacementMap placement();

    /** Asks for a map newer than this epoch; completes at once when none is known or on its way. */
    CompletableFuture<Void> refresh(long epoch);

    CompletableFuture<Message> call(HostId to, Message request, Duration timeout);

    /** This process' own host, whose replicas are read first. */
    Optional<HostId> self();

    OperationId nextOperation();

    /** Members that must be in sync for a write, as the volume wants it now. */
    int minInSync();

    /** How long a call may take before it fails. */
    Duration timeout();

    /** How long one attempt may take before another host is asked. */
    Duration attempt();

    long nanoTime();

    /** Completes after a pause. */
    CompletableFuture<Void> pause(Duration pause);
  }

  /**
   * @param session in which writes are made now; 0: in none
   */
  public ReplicatedVolume(int replicas, Cluster cluster, LongSupplier session) {
    this(replicas, cluster, session, new Unflushed(), new FlushCalls(cluster));
  }

  private ReplicatedVolume(
      int replicas,
      Cluster cluster,
      LongSupplier session,
      Unflushed unflushed,
      FlushCalls flushes) {
    this.replicas = replicas;
    this.cluster = cluster;
    this.session = session;
    this.unflushed = unflushed;
    this.flushes = flushes;
  }

  @Override
  public Volume inSession(LongSupplier other) {
    return new ReplicatedVolume(replicas, cluster, other, unflushed, flushes);
  }

  @Override
  public CompletableFuture<ByteBuffer> read(long inode, long offset, int length) {
    ChunkId first = chunk(inode, offset);
    int within = (int) (offset % ChunkId.SIZE);
    if (within + length <= ChunkId.SIZE) {
      return readChunk(first, within, length);
    }
    List<CompletableFuture<ByteBuffer>> parts = new ArrayList<>();
    forEachChunk(
        inode, offset, length, (chunk, at, _, count) -> parts.add(readChunk(chunk, at, count)));
    return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .thenApply(
            _ -> {
              ByteBuffer whole = ByteBuffer.allocate(length);
              parts.forEach(part -> whole.put(part.join().duplicate()));
              return whole.flip();
            });
  }

  @Override
  public CompletableFuture<Void> write(long inode, long offset, ByteBuffer data) {
    return prepareWrite(inode, offset, data).get();
  }

  @Override
  public Supplier<CompletableFuture<Void>> prepareWrite(long inode, long offset, ByteBuffer data) {
    List<Operation> parts = new ArrayList<>();
    forEachChunk(
        inode,
        offset,
        data.remaining(),
        (chunk, at, from, count) ->
            parts.add(
                operation(
                    new Mutation.Write(
                        chunk, at, data.slice(data.position() + (int) from, count)))));
    return () -> allOf(parts.stream().<CompletableFuture<?>>map(this::mutate).toList());
  }

  @Override
  public CompletableFuture<List<DataRange>> allocated(long inode, long offset, long length) {
    return new AllocatedCall(this::group, this::reader, cluster).ask(inode, offset, length);
  }

  @Override
  public CompletableFuture<Void> punch(long inode, long offset, long length) {
    return new Windows(offset, length).run(part -> punchWindow(inode, part));
  }

  private CompletableFuture<Void> punchWindow(long inode, Windows.Range range) {
    List<CompletableFuture<?>> parts = new ArrayList<>();
    forEachChunk(
        inode,
        range.offset(),
        range.length(),
        (chunk, at, _, count) ->
            parts.add(
                mutate(
                    operation(
                        count == ChunkId.SIZE
                            ? new Mutation.Delete(chunk)
                            : new Mutation.Punch(chunk, at, count)))));
    return allOf(parts);
  }

  @Override
  public CompletableFuture<Void> delete(long inode, long size) {
    return punch(inode, 0, (size + ChunkId.SIZE - 1) / ChunkId.SIZE * ChunkId.SIZE)
        .whenComplete((_, _) -> unflushed.forget(inode));
  }

  @Override
  public CompletableFuture<Void> flush(long inode) {
    Unflushed.Note note = unflushed.note(inode);
    if (note.versions().isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return new Attempts(cluster, "flushing inode " + inode)
        .run(() -> flushOnce(note))
        .thenAccept(
            lost -> {
              unflushed.flushed(note);
              if (!lost.isEmpty()) {
                throw gone(inode, lost);
              }
            });
  }

  /** Completes with the groups that no longer hold all that the note names. */
  private CompletableFuture<List<Integer>> flushOnce(Unflushed.Note note) {
    Map<Integer, PgView> views = new HashMap<>();
    note.versions().keySet().forEach(pg -> views.put(pg, openView(pg)));
    List<Integer> lost =
        views.values().stream()
            .filter(
                view ->
                    note.versions().getOrDefault(view.pg(), List.of()).stream()
                        .anyMatch(isGoneIn(view)))
            .map(PgView::pg)
            .toList();
    return flushes.flush(views.values()).thenApply(_ -> lost);
  }

  private static Predicate<Version> isGoneIn(PgView view) {
    return version -> view.reopened().mayHaveLost(version);
  }

  private static TrefoilException gone(long inode, List<Integer> groups) {
    return new TrefoilException(
        Reason.IO,
        "inode "
            + inode
            + ": all replicas of groups "
            + groups
            + " stopped at once, and what was written before and not synced may be gone; write it"
            + " again");
  }

  /** A mutation under the name that all its attempts share. */
  private record Operation(OperationId id, Mutation mutation) {}

  private Operation operation(Mutation mutation) {
    return new Operation(cluster.nextOperation(), mutation);
  }

  private CompletableFuture<Void> mutate(Operation operation) {
    Mutation mutation = operation.mutation();
    int pg = group(mutation.chunk());
    long inode = mutation.chunk().inode();
    return new Attempts(cluster, "writing chunk " + mutation.chunk())
        .runLonger(
            patience -> {
              PgView view = openView(pg);
              return cluster
                  .call(
                      primary(view),
                      new Message.Write(
                          pg,
                          view.view(),
                          cluster.minInSync(),
                          session.getAsLong(),
                          operation.id(),
                          mutation),
                      patience)
                  .thenApply(answer -> version((Message.Written) answer, view));
            })
        // Not earlier: a flush that another caller began meanwhile may have come too soon for it.
        .whenComplete(
            (version, failure) -> {
              if (failure != null) {
                unflushed.mark(inode, pg);
              } else if (version.n() > 0) { // 0: there was nothing to remove
                unflushed.mark(inode, pg, version);
              }
            })
        .thenAccept(_ -> {});
  }

  /** A primary that was told of an operation by others knows no more than that it is committed. */
  private static Version version(Message.Written written, PgView view) {
    return written.view() > 0
        ? new Version(written.view(), written.n())
        : new Version(view.view(), Long.MAX_VALUE);
  }

  private CompletableFuture<ByteBuffer> readChunk(ChunkId chunk, int offset, int length) {
    int pg = group(chunk);
    int[] attempts = {0};
    return new Attempts(cluster, "reading chunk " + chunk)
        .onAnyReplica()
        .run(
            () -> {
              PgView view = openView(pg);
              HostId from = reader(view, attempts[0]++);
              return cluster
                  .call(
                      from,
                      new Message.Read(pg, view.view(), chunk, offset, length),
                      cluster.attempt())
                  .thenApply(answer -> ((Message.Data) answer).bytes());
            });
  }

  private HostId reader(int pg, int attempt) {
    return reader(openView(pg), attempt);
  }

  /** The own replica first, then the primary, then every in-sync member in turn. */
  private HostId reader(PgView view, int attempt) {
    Optional<HostId> self = cluster.self().filter(host -> view.member(host).isPresent());
    if (attempt == 0 && self.isPresent()) {
      return self.get();
    }
    int turn = self.isPresent() ? attempt - 1 : attempt;
    return turn % 3 < 2
        ? primary(view)
        : view.inSync().get(Math.floorMod(turn / 3, view.inSync().size())).host();
  }

  private PgView openView(int pg) {
    PgView view =
        cluster
            .placement()
            .group(pg)
            .orElseThrow(
                () ->
                    new TrefoilException(
                        Reason.STALE_VIEW,
                        "group " + pg + " is not in the map that is known here"));
    if (!view.isOpen()) {
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "no replica of group " + pg + " can serve now; start the hosts that hold it");
    }
    return view;
  }

  static HostId primary(PgView view) {
    return java.util.Objects.requireNonNull(view.primary());
  }

  private int group(ChunkId chunk) {
    return Pools.groupOf(chunk, replicas, cluster.placement().bits());
  }

  private static ChunkId chunk(long inode, long offset) {
    return new ChunkId(inode, (int) (offset / ChunkId.SIZE));
  }

  /**
   * Sees a part of a range: {@code count} bytes at {@code at} in the chunk, which are at {@code
   * from} in the range.
   */
  private interface Part {
    void accept(ChunkId chunk, int at, long from, int count);
  }

  private static void forEachChunk(long inode, long offset, long length, Part part) {
    long done = 0;
    while (done < length) {
      long position = offset + done;
      int at = (int) (position % ChunkId.SIZE);
      int count = (int) Math.min(length - done, ChunkId.SIZE - at);
      part.accept(chunk(inode, position), at, done, count);
      done += count;
    }
  }

  static CompletableFuture<Void> allOf(List<CompletableFuture<?>> parts) {
    return parts.size() == 1
        ? parts.getFirst().thenAccept(_ -> {})
        : CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new));
  }
}
