package org.trefoilfs.replication.volume;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToIntFunction;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.ChunkAt;

/**
 * Asks for the blocks of a range that hold data: each host once, for all chunks that are read
 * there. When any of them cannot answer, all are asked again elsewhere: it costs next to nothing.
 */
final class AllocatedCall {
  private final ToIntFunction<ChunkId> group;
  private final Reader reader;
  private final ReplicatedVolume.Cluster cluster;
  private int attempts;

  /** Who is asked for a group at the n-th attempt, from 0. */
  interface Reader {
    HostId of(int pg, int attempt);
  }

  AllocatedCall(ToIntFunction<ChunkId> group, Reader reader, ReplicatedVolume.Cluster cluster) {
    this.group = group;
    this.reader = reader;
    this.cluster = cluster;
  }

  CompletableFuture<List<DataRange>> ask(long inode, long offset, long length) {
    if (offset < 0 || length < 0 || length > Volume.ALLOCATED_MAX) {
      throw new TrefoilException(
          Reason.INVALID, "cannot look for data in [" + offset + ", +" + length + ")");
    }
    if (length == 0) {
      return CompletableFuture.completedFuture(List.of());
    }
    List<ChunkAt> chunks = chunks(inode, offset, offset + length);
    return new Attempts(cluster, "looking for data of inode " + inode)
        .onAnyReplica()
        .run(() -> attempt(chunks, attempts++))
        .thenApply(sets -> ranges(sets, offset, offset + length));
  }

  private List<ChunkAt> chunks(long inode, long offset, long end) {
    List<ChunkAt> chunks = new ArrayList<>();
    for (long index = offset / ChunkId.SIZE; index * ChunkId.SIZE < end; index++) {
      ChunkId chunk = new ChunkId(inode, (int) index);
      chunks.add(new ChunkAt(group.applyAsInt(chunk), chunk));
    }
    return chunks;
  }

  private CompletableFuture<Map<ChunkId, BlockSet>> attempt(List<ChunkAt> chunks, int attempt) {
    Map<HostId, List<ChunkAt>> byHost = new LinkedHashMap<>();
    for (ChunkAt at : chunks) {
      byHost.computeIfAbsent(reader.of(at.pg(), attempt), _ -> new ArrayList<>()).add(at);
    }
    Map<ChunkId, BlockSet> found = new LinkedHashMap<>();
    List<CompletableFuture<?>> parts = new ArrayList<>();
    byHost.forEach(
        (host, asked) ->
            parts.add(
                cluster
                    .call(host, new Message.AskBlocks(asked), cluster.attempt())
                    .thenAccept(answer -> note(host, asked, (Message.BlockSets) answer, found))));
    return ReplicatedVolume.allOf(parts).thenApply(_ -> found);
  }

  private static void note(
      HostId host, List<ChunkAt> asked, Message.BlockSets answer, Map<ChunkId, BlockSet> found) {
    if (answer.sets().size() != asked.size()) {
      throw new TrefoilException(
          Reason.INVALID,
          host + " answered for " + answer.sets().size() + " chunks of " + asked.size());
    }
    synchronized (found) {
      for (int i = 0; i < asked.size(); i++) {
        found.put(asked.get(i).chunk(), answer.sets().get(i));
      }
    }
  }

  private static List<DataRange> ranges(Map<ChunkId, BlockSet> sets, long from, long to) {
    List<DataRange> ranges = new ArrayList<>();
    sets.forEach(
        (chunk, blocks) -> {
          long base = (long) chunk.index() * ChunkId.SIZE;
          for (BlockSet.Range range : blocks.ranges()) {
            long start = base + range.offset();
            ranges.add(new DataRange(start, start + range.length()).within(from, to));
          }
        });
    return DataRange.union(ranges);
  }
}
