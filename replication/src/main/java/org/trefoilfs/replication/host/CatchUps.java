package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.CopyState;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * Runs the catch-up of the groups that this host joins: a virtual thread each, a bounded number at
 * work.
 */
final class CatchUps {
  private static final Logger log = LoggerFactory.getLogger(CatchUps.class);

  /** A primary that did not answer is asked again after so long. */
  private static final Duration RETRY = Duration.ofMillis(200);

  /**
   * A joiner that has told its primary that it caught up, and is still a joiner then, tells it
   * again.
   */
  private static final Duration PROMOTION = Duration.ofSeconds(2);

  /** Where a listing starts. */
  static final ChunkId BEFORE_ALL = new ChunkId(Long.MIN_VALUE, 0);

  /** Between two looks for the view, and the looks between two announcements. */
  private static final Duration POLL = Duration.ofMillis(20);

  private static final int POLLS = 10;

  private static final Duration CALL = Duration.ofSeconds(20);

  private final GroupHost groups;
  private final GroupHost.Node node;
  private final Semaphore atWork = new Semaphore(HostLimits.CONCURRENT_CATCH_UPS);
  private final Semaphore fetching = new Semaphore(HostLimits.CONCURRENT_FETCHES);
  private final ConcurrentHashMap<Integer, CatchUp> running = new ConcurrentHashMap<>();
  private final AtomicLong bytesDone = new AtomicLong();
  private long rateSince;
  private long rateBytes;
  private long rate;

  CatchUps(GroupHost groups, GroupHost.Node node) {
    this.groups = groups;
    this.node = node;
  }

  /**
   * Begins the catch-up of a group, from {@code primary} in {@code view}. Called under the group's
   * lock.
   */
  void start(GroupHost.Slot slot, long view, HostId primary) {
    CatchUp placeholder = new CatchUp();
    slot.catchUp = placeholder;
    running.put(slot.pg, placeholder);
    Attempt attempt = new Attempt(slot, view, primary, ++slot.catchUpRun);
    Thread.startVirtualThread(() -> run(attempt));
  }

  private record Attempt(GroupHost.Slot slot, long view, HostId primary, long run) {}

  /** Progress over all groups. */
  synchronized Message.CatchUp progress() {
    running.keySet().removeIf(pg -> !isJoining(groups.slot(pg)));
    long left = running.values().stream().mapToLong(CatchUps::bytesLeft).sum();
    long now = node.time().nanoTime();
    if (now - rateSince > 1_000_000_000L) {
      rate =
          rateSince == 0 ? 0 : (bytesDone.get() - rateBytes) * 1_000_000_000L / (now - rateSince);
      rateSince = now;
      rateBytes = bytesDone.get();
    }
    return new Message.CatchUp(running.size(), bytesDone.get(), left, rate);
  }

  private static long bytesLeft(CatchUp catchUp) {
    synchronized (catchUp) {
      return catchUp.bytesLeft();
    }
  }

  private static boolean isJoining(GroupHost.Slot slot) {
    synchronized (slot) {
      return slot.group.isJoiner();
    }
  }

  private void run(Attempt attempt) {
    while (isCurrent(attempt)) {
      try {
        atWork.acquire();
        try {
          copy(attempt);
        } finally {
          atWork.release();
        }
        announce(attempt);
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        log.debug("catch-up of {} is tried again: {}", attempt, e.toString());
        LockSupport.parkNanos(RETRY.toNanos());
      }
    }
  }

  private boolean isCurrent(Attempt attempt) {
    GroupHost.Slot slot = attempt.slot();
    synchronized (slot) {
      PgView current = slot.group.currentView();
      if (!slot.group.isJoiner()) {
        running.remove(slot.pg);
        return false;
      }
      return current != null
          && current.view() == attempt.view()
          && slot.catchUpRun == attempt.run();
    }
  }

  private void copy(Attempt attempt) {
    GroupHost.Slot slot = attempt.slot();
    node.applier().barrier().join();
    CatchUp catchUp;
    synchronized (slot) {
      // One that is complete stays so; it is only announced again.
      if (!isCurrent(attempt) || (slot.catchUp != null && slot.catchUp.isComplete())) {
        return;
      }
      catchUp = new CatchUp();
      slot.catchUp = catchUp;
      running.put(slot.pg, catchUp);
    }
    if (!listChanges(attempt, catchUp)) {
      list(attempt, catchUp);
    }
    while (isCurrent(attempt)) {
      CatchUp.Wanted next = locked(slot, catchUp, () -> catchUp.startFetch().orElse(null));
      if (next == null) {
        return;
      }
      fetching.acquireUninterruptibly();
      try {
        fetch(attempt, catchUp, next);
      } finally {
        fetching.release();
      }
    }
  }

  /**
   * Asks for what was written since this host was in sync.
   *
   * @return false when that cannot be told: all chunks have to be compared
   */
  private boolean listChanges(Attempt attempt, CatchUp catchUp) {
    GroupHost.Slot slot = attempt.slot();
    Version base;
    List<Version> reached;
    synchronized (slot) {
      CopyState state = slot.group.log().copyState();
      base = state.base(slot.group.log().committed()).orElse(null);
      reached = state.reached();
    }
    if (base == null) {
      log.debug("group {}: all chunks are to be compared", slot.pg);
      return false;
    }
    Message answer = call(attempt, new Message.ListChanges(slot.pg, attempt.view(), base, reached));
    if (!(answer instanceof Message.ChangeList changes)) {
      throw new TrefoilException(Reason.INVALID, "unexpected answer to LIST_CHANGES: " + answer);
    }
    log.debug(
        "group {}: in sync up to {}, copied in part {}; told of {}",
        slot.pg,
        base,
        reached,
        changes);
    if (!changes.known()) {
      return false;
    }
    Map<ChunkId, BlockSet> own;
    synchronized (slot) {
      own = slot.history.ownSince(changes.since(), base).orElse(null);
    }
    if (own == null) {
      return false;
    }
    Set<ChunkId> putOff = node.applier().putOff(slot.pg);
    locked(
        slot,
        catchUp,
        () -> {
          groups.committedEarlier(slot.pg, changes.recent());
          for (Message.ChangedChunk chunk : changes.chunks()) {
            if (!holds(slot, chunk)) {
              catchUp.changed(chunk.id(), blocksToFetch(slot.pg, chunk.id(), chunk.blocks()));
            }
          }
          own.forEach(
              (chunk, blocks) -> catchUp.changed(chunk, blocksToFetch(slot.pg, chunk, blocks)));
          slot.group
              .log()
              .copyState()
              .leftOut()
              .forEach(
                  (chunk, blocks) -> catchUp.changed(chunk, blocksToFetch(slot.pg, chunk, blocks)));
          putOff.forEach(chunk -> catchUp.changed(chunk, BlockSet.all()));
          catchUp.listed(changes.since());
          return null;
        });
    return true;
  }

  /** A catch-up that was interrupted has copied this chunk already. */
  private boolean holds(GroupHost.Slot slot, Message.ChangedChunk chunk) {
    return slot.group.log().copyState().hasCopied(chunk.id())
        && node.store()
            .info(slot.pg, chunk.id())
            .filter(ours -> ours.version().n() >= chunk.lastN())
            .isPresent();
  }

  /** A chunk that is not here, or is damaged, is fetched whole. */
  private BlockSet blocksToFetch(int pg, ChunkId chunk, BlockSet changed) {
    boolean usable =
        node.store().info(pg, chunk).filter(ours -> ours.version().n() > 0).isPresent();
    return usable ? changed : BlockSet.all();
  }

  private Message call(Attempt attempt, Message request) {
    return node.peers().call(attempt.primary(), request, CALL).join();
  }

  private void list(Attempt attempt, CatchUp catchUp) {
    GroupHost.Slot slot = attempt.slot();
    Set<ChunkId> putOff = node.applier().putOff(slot.pg);
    locked(
        slot,
        catchUp,
        () -> {
          Set<ChunkId> unsettled = new HashSet<>(slot.group.log().copyState().leftOut().keySet());
          unsettled.addAll(putOff);
          catchUp.compareAll(node.store().list(slot.pg), unsettled);
          return null;
        });
    ChunkId after = BEFORE_ALL;
    boolean more = true;
    while (more) {
      Message answer = call(attempt, new Message.ListChunks(slot.pg, attempt.view(), after));
      if (!(answer instanceof Message.ChunkList page)) {
        throw new TrefoilException(Reason.INVALID, "unexpected answer to a listing: " + answer);
      }
      locked(
          slot,
          catchUp,
          () -> {
            groups.committedEarlier(slot.pg, page.recent());
            catchUp.listing(page.chunks());
            return null;
          });
      more = page.more();
      after = page.chunks().isEmpty() ? after : page.chunks().getLast().id();
    }
    List<CompletableFuture<Boolean>> removed = new ArrayList<>();
    locked(
        slot,
        catchUp,
        () -> {
          if (isCurrent(attempt)) {
            groups.journalCommitted(slot.pg);
            catchUp.listingEnded().forEach(gone -> removed.add(remove(slot.pg, gone)));
          }
          return null;
        });
    removed.forEach(CompletableFuture::join);
  }

  private CompletableFuture<Boolean> remove(int pg, ChunkId gone) {
    return node.applier().replace(pg, new ChunkImage(gone, Version.NONE, List.of()), List.of());
  }

  private void fetch(Attempt attempt, CatchUp catchUp, CatchUp.Wanted wanted) {
    GroupHost.Slot slot = attempt.slot();
    ChunkImage image;
    BlockSet blocks;
    switch (call(attempt, request(attempt, wanted, catchUp.since()))) {
      case Message.Chunk(ChunkImage whole) -> {
        image = whole;
        blocks = BlockSet.all();
      }
      case Message.Blocks(ChunkImage some, BlockSet which) -> {
        image = some;
        blocks = which;
      }
      case Message other ->
          throw new TrefoilException(Reason.INVALID, "unexpected answer to a fetch: " + other);
    }
    CompletableFuture<Boolean> installed =
        locked(
            slot,
            catchUp,
            () ->
                isCurrent(attempt)
                    ? catchUp
                        .fetched(image, blocks)
                        .map(kept -> install(slot, image, blocks, kept))
                        .orElse(null)
                    : null);
    if (installed != null) {
      awaitInstalled(slot, image, installed);
    }
  }

  private static Message request(Attempt attempt, CatchUp.Wanted wanted, long since) {
    int pg = attempt.slot().pg;
    return wanted.blocks().isAll()
        ? new Message.FetchChunk(pg, wanted.chunk())
        : new Message.FetchBlocks(pg, attempt.view(), wanted.chunk(), since, wanted.blocks());
  }

  /** As its replay will, the log takes the chunk for copied once that is in the journal. */
  private CompletableFuture<Boolean> install(
      GroupHost.Slot slot, ChunkImage image, BlockSet blocks, List<Entry> kept) {
    groups.journalCommitted(slot.pg);
    // One without a version is no chunk: it goes as a whole.
    CompletableFuture<Boolean> installed =
        blocks.isAll() || image.version().equals(Version.NONE)
            ? node.applier().replace(slot.pg, image, kept)
            : node.applier().patch(slot.pg, image, blocks, kept);
    slot.group.log().copyState().copied(image.id(), image.version());
    return installed;
  }

  private void awaitInstalled(
      GroupHost.Slot slot, ChunkImage image, CompletableFuture<Boolean> installed) {
    try {
      installed.join();
      bytesDone.addAndGet(image.bytes());
    } catch (CompletionException e) {
      synchronized (slot) { // the disk is full, and the journal says that the image is here
        slot.group.log().copyState().leftOut(image.id(), BlockSet.all());
      }
      throw e;
    }
  }

  /** Tells the primary, again and again, until the view comes that makes this host in-sync. */
  private void announce(Attempt attempt) {
    long deadline = node.time().nanoTime() + PROMOTION.toNanos();
    while (isCurrent(attempt) && node.time().nanoTime() < deadline) {
      if (!announceOnce(attempt)) {
        return;
      }
      for (int i = 0; i < POLLS && isCurrent(attempt); i++) {
        LockSupport.parkNanos(POLL.toNanos());
      }
    }
  }

  private boolean announceOnce(Attempt attempt) {
    GroupHost.Slot slot = attempt.slot();
    Message.CaughtUp caughtUp;
    synchronized (slot) {
      if (!isCurrent(attempt) || slot.catchUp == null || !slot.catchUp.isComplete()) {
        return false;
      }
      GroupLog group = slot.group.log();
      if (!group.copyState().isComplete()) {
        group.copyState().caughtUp(group.committed());
        slot.history.caughtUp();
        node.journal().append(group.copyState().record(slot.pg));
      }
      caughtUp =
          new Message.CaughtUp(
              slot.pg,
              attempt.view(),
              node.self(),
              node.incarnation(),
              slot.group.joinedAt(),
              group.lastN());
    }
    // What was copied must outlive a loss of power before it is counted on.
    node.journal().sync(node.journal().end()).join();
    node.peers().call(attempt.primary(), caughtUp, CALL).join();
    return true;
  }

  private static <T> @Nullable T locked(
      GroupHost.Slot slot, CatchUp catchUp, java.util.function.Supplier<@Nullable T> action) {
    synchronized (slot) {
      synchronized (catchUp) {
        return action.get();
      }
    }
  }
}
