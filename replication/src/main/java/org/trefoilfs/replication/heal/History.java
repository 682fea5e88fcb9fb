package org.trefoilfs.replication.heal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.transport.Message;

/**
 * What one member of a group knows of its latest writes: tells a joiner, as primary, what to copy,
 * and knows, as a joiner, what it had written itself. Pure; the caller serializes calls.
 */
public final class History {
  /** Chunks in one answer, some 150 bytes each: beyond, comparing all is no dearer. */
  private static final int MAX_CHUNKS = 16_384;

  private Changes changes = new Changes(Version.NONE);

  /** Of the time before this member became a joiner; null once it has caught up. */
  private @Nullable Changes own;

  public void committed(Entry entry) {
    changes.committed(entry.version(), entry.mutation());
  }

  /** The group's log has reached {@code now} without all the writes before it. */
  public void continueFrom(Version now) {
    if (changes.last() != now.n()) {
      changes.restart(now);
    }
  }

  /** This member joins: the live writes begin after {@code from}. */
  public void joins(Version from) {
    if (own == null) {
      own = changes;
    }
    changes = new Changes(from);
  }

  public void caughtUp() {
    own = null;
  }

  /** All replicas are in sync: what is old will hardly be asked for. */
  public void trimIfDue() {
    changes.trimIfDue();
  }

  /** A view has begun: a member may have left with what it has now. */
  public void mark() {
    changes.mark();
  }

  /** Gives memory back, though a member that is away may have to compare everything then. */
  public void trim() {
    changes.trim();
  }

  /** Memory that this takes, in chunks of some 200 bytes. */
  public int chunks() {
    return changes.chunks();
  }

  /**
   * Answers a joiner.
   *
   * @param recent operations that the group has committed lately
   */
  public Message.ChangeList answer(Message.ListChanges asked, List<OperationId> recent) {
    OptionalLong shared = changes.sharedWith(asked.base());
    // What it copied later may be of a history that ended when others lost their unsynced tails.
    boolean ours =
        asked.reached().stream()
            .allMatch(reached -> changes.sharedWith(reached).orElse(-1) == reached.n());
    if (shared.isEmpty() || !ours) {
      return new Message.ChangeList(false, 0, List.of(), List.of());
    }
    List<Message.ChangedChunk> chunks = new ArrayList<>();
    changes
        .since(shared.getAsLong())
        .forEach(
            (chunk, each) ->
                chunks.add(new Message.ChangedChunk(chunk, each.lastN(), each.blocks())));
    return chunks.size() > MAX_CHUNKS
        ? new Message.ChangeList(false, 0, List.of(), List.of())
        : new Message.ChangeList(true, shared.getAsLong(), chunks, recent);
  }

  /**
   * Blocks of a chunk that were written after number {@code since}; all, when that is not known any
   * longer.
   */
  public BlockSet blocksSince(ChunkId chunk, long since) {
    return changes.knowsSince(since) ? changes.blocksSince(chunk, since) : BlockSet.all();
  }

  /**
   * What this joiner had written itself, before it joined, after number {@code since}: to be
   * replaced, for the group's history may differ from there on. Empty when that is not known.
   *
   * @param base up to which its chunks hold everything
   */
  public Optional<Map<ChunkId, BlockSet>> ownSince(long since, Version base) {
    if (since >= base.n()) {
      return Optional.of(Map.of());
    }
    if (own == null || own.last() != base.n() || !own.knowsSince(since)) {
      return Optional.empty();
    }
    return Optional.of(
        own.since(since).entrySet().stream()
            .collect(
                java.util.stream.Collectors.toMap(
                    Map.Entry::getKey, each -> each.getValue().blocks())));
  }
}
