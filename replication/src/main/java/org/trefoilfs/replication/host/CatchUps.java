package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
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
import org.trefoilfs.replication.heal.CopyProgress;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.Message;

/**
 * Runs the catch-up of the groups that this host joins, a virtual thread each. First every group
 * learns what it is to copy, so that it is known how much that is; then they copy, a few groups at
 * a time, so that the first are in sync soon, and at a {@link Pace}.
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

  /** Between two messages that a catch-up is held up. */
  private static final Duration SAY = Duration.ofSeconds(10);

  private static final Duration CALL = Duration.ofSeconds(20);

  private final GroupHost groups;
  private final GroupNode node;
  private final Semaphore listing = new Semaphore(HostLimits.CONCURRENT_LISTINGS, true);
  private final Semaphore copying = new Semaphore(HostLimits.CONCURRENT_FETCHES, true);
  private final Pace pace;
  private final CopyProgress progress;
  private final AtomicLong saidAt;
  private @Nullable ClusterView seen;

  /**
   * @param bytesPerSecond what is fetched at most; 0: no limit
   */
  CatchUps(GroupHost groups, GroupNode node, long bytesPerSecond) {
    this.groups = groups;
    this.node = node;
    pace = new Pace(bytesPerSecond, node.time(), () -> node.room().isFilling());
    progress = new CopyProgress(node.time().nanoTime());
    saidAt = new AtomicLong(node.time().nanoTime());
  }

  /**
   * Begins the catch-up of a group, from {@code primary} in {@code view}. Called under the group's
   * lock.
   */
  void start(Slot slot, long view, HostId primary) {
    CatchUp placeholder = new CatchUp();
    slot.catchUp = placeholder;
    followView();
    progress.started(slot.pg, placeholder);
    Attempt attempt = new Attempt(slot, view, primary, ++slot.catchUpRun);
    Thread.startVirtualThread(() -> run(attempt));
  }

  private record Attempt(Slot slot, long view, HostId primary, long run) {}

  /** How far all groups have come. Waits for none of them. */
  Message.CatchUp progress() {
    followView();
    return progress.report(node.time().nanoTime());
  }

  /** One at a time: an older view must not be taken for what has become of a newer one. */
  private synchronized void followView() {
    ClusterView view = node.view();
    if (view != seen) {
      seen = view;
      Set<Integer> joining =
          view.placement().groups().stream()
              .filter(group -> group.joining().contains(node.self()))
              .map(PgView::pg)
              .collect(Collectors.toUnmodifiableSet());
      progress.joining(joining, node.time().nanoTime());
    }
  }

  private void run(Attempt attempt) {
    try {
      while (isCurrent(attempt)) {
        tryOnce(attempt);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    followView(); // so that the last one's time is exact
  }

  private void tryOnce(Attempt attempt) throws InterruptedException {
    try {
      CatchUp catchUp = look(attempt);
      if (catchUp != null) {
        copy(attempt, catchUp);
      }
      if (!announce(attempt)) {
        say(attempt, "it has caught up, and is not in sync yet");
      }
    } catch (RuntimeException e) {
      say(attempt, TrefoilException.of(e).getMessage());
      LockSupport.parkNanos(RETRY.toNanos());
    }
  }

  /** Of thousands of groups, now and then one. */
  private void say(Attempt attempt, @Nullable String why) {
    long now = node.time().nanoTime();
    long before = saidAt.get();
    if (now - before >= SAY.toNanos() && saidAt.compareAndSet(before, now)) {
      log.info(
          "group {}: catching up with {} takes another attempt: {}",
          attempt.slot().pg,
          attempt.primary(),
          why);
    }
  }

  private boolean isCurrent(Attempt attempt) {
    Slot slot = attempt.slot();
    synchronized (slot) {
      PgView current = slot.group.currentView();
      if (!slot.group.isJoiner()) {
        return false;
      }
      return current != null
          && current.view() == attempt.view()
          && slot.catchUpRun == attempt.run();
    }
  }

  /**
   * Finds out what is to be copied.
   *
   * @return null when nothing is: another attempt has begun, or one was complete already
   */
  private @Nullable CatchUp look(Attempt attempt) throws InterruptedException {
    listing.acquire();
    try {
      node.applier().barrier().join();
      CatchUp catchUp = begin(attempt);
      if (catchUp != null && !listChanges(attempt, catchUp)) {
        list(attempt, catchUp);
      }
      return catchUp;
    } finally {
      listing.release();
    }
  }

  private @Nullable CatchUp begin(Attempt attempt) {
    Slot slot = attempt.slot();
    synchronized (slot) {
      // One that is complete stays so; it is only announced again.
      if (!isCurrent(attempt) || (slot.catchUp != null && slot.catchUp.isComplete())) {
        return null;
      }
      CatchUp catchUp = new CatchUp();
      slot.catchUp = catchUp;
      progress.started(slot.pg, catchUp);
      return catchUp;
    }
  }

  private void copy(Attempt attempt, CatchUp catchUp) throws InterruptedException {
    if (nextBytes(attempt, catchUp).isEmpty()) {
      return; // most groups have nothing to copy, and wait for none that has
    }
    copying.acquire();
    try {
      OptionalLong next = nextBytes(attempt, catchUp);
      while (next.isPresent() && isCurrent(attempt)) {
        copyNext(attempt, catchUp, next.getAsLong());
        next = nextBytes(attempt, catchUp);
      }
    } finally {
      copying.release();
    }
  }

  private static OptionalLong nextBytes(Attempt attempt, CatchUp catchUp) {
    synchronized (attempt.slot()) {
      synchronized (catchUp) {
        return catchUp.nextBytes();
      }
    }
  }

  /**
   * Waits first, for what is written while a chunk is being fetched is kept in memory; and again
   * when more of it was written meanwhile.
   */
  private void copyNext(Attempt attempt, CatchUp catchUp, long expected) {
    long awaited = 0;
    long bytes = expected;
    while (bytes > awaited && isCurrent(attempt)) {
      pace.await(bytes - awaited, () -> isCurrent(attempt));
      awaited = bytes;
      bytes = nextBytes(attempt, catchUp).orElse(0);
    }
    // As it is received, and as it is put together with what was written meanwhile.
    Intake.Ticket room = node.memory().askToFetch(2 * Math.max(awaited, ChunkId.BLOCK));
    try {
      room.taken().join();
      CatchUp.Wanted next =
          locked(attempt.slot(), catchUp, () -> catchUp.startFetch().orElse(null));
      long copied = next == null ? 0 : fetch(attempt, catchUp, next);
      pace.settle(awaited, copied);
      progress.copied(copied, node.time().nanoTime());
    } finally {
      room.release();
    }
  }

  /**
   * Asks for what was written since this host was in sync.
   *
   * @return false when that cannot be told: all chunks have to be compared
   */
  private boolean listChanges(Attempt attempt, CatchUp catchUp) {
    Slot slot = attempt.slot();
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
              changed(slot.pg, catchUp, chunk.id(), chunk.blocks());
            }
          }
          own.forEach((chunk, blocks) -> changed(slot.pg, catchUp, chunk, blocks));
          slot.group
              .log()
              .copyState()
              .leftOut()
              .forEach((chunk, blocks) -> changed(slot.pg, catchUp, chunk, blocks));
          putOff.forEach(chunk -> catchUp.changed(chunk, BlockSet.all()));
          catchUp.listed(changes.since());
          return null;
        });
    return true;
  }

  /** A catch-up that was interrupted has copied this chunk already. */
  private boolean holds(Slot slot, Message.ChangedChunk chunk) {
    return slot.group.log().copyState().hasCopied(chunk.id())
        && node.store()
            .info(slot.pg, chunk.id())
            .filter(ours -> ours.version().n() >= chunk.lastN())
            .isPresent();
  }

  /** A chunk that is not here, or is damaged, is fetched whole. */
  private void changed(int pg, CatchUp catchUp, ChunkId chunk, BlockSet blocks) {
    if (node.store().info(pg, chunk).filter(ours -> ours.version().n() > 0).isPresent()) {
      catchUp.changed(chunk, blocks);
    } else {
      catchUp.missing(chunk, blocks);
    }
  }

  private Message call(Attempt attempt, Message request) {
    return node.peers().call(attempt.primary(), request, CALL).join();
  }

  private void list(Attempt attempt, CatchUp catchUp) {
    Slot slot = attempt.slot();
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
            groups.slots().journalCommitted(slot.pg);
            catchUp.listingEnded().forEach(gone -> removed.add(remove(slot.pg, gone)));
          }
          return null;
        });
    removed.forEach(CompletableFuture::join);
  }

  private CompletableFuture<Boolean> remove(int pg, ChunkId gone) {
    return node.applier().replace(pg, new ChunkImage(gone, Version.NONE, List.of()), List.of());
  }

  /** Returns the bytes that came. */
  private long fetch(Attempt attempt, CatchUp catchUp, CatchUp.Wanted wanted) {
    Slot slot = attempt.slot();
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
            () -> {
              if (!isCurrent(attempt)) {
                return null;
              }
              List<Entry> kept = catchUp.fetched(image, blocks).orElse(null);
              CompletableFuture<Boolean> done =
                  kept == null ? null : install(slot, image, blocks, kept);
              node.memory().counts(slot);
              return done;
            });
    if (installed != null) {
      awaitInstalled(slot, catchUp, image, installed);
    }
    return image.bytes();
  }

  private static Message request(Attempt attempt, CatchUp.Wanted wanted, long since) {
    int pg = attempt.slot().pg;
    return wanted.blocks().isAll()
        ? new Message.FetchChunk(pg, wanted.chunk())
        : new Message.FetchBlocks(pg, attempt.view(), wanted.chunk(), since, wanted.blocks());
  }

  /** As its replay will, the log takes the chunk for copied once that is in the journal. */
  private CompletableFuture<Boolean> install(
      Slot slot, ChunkImage image, BlockSet blocks, List<Entry> kept) {
    groups.slots().journalCommitted(slot.pg);
    // One without a version is no chunk: it goes as a whole.
    CompletableFuture<Boolean> installed =
        blocks.isAll() || image.version().equals(Version.NONE)
            ? node.applier().replace(slot.pg, image, kept)
            : node.applier().patch(slot.pg, image, blocks, kept);
    slot.group.log().copyState().copied(image.id(), image.version());
    return installed;
  }

  /** On a full disk the image is not installed, though the journal says so: it must come again. */
  private static void awaitInstalled(
      Slot slot, CatchUp catchUp, ChunkImage image, CompletableFuture<Boolean> installed) {
    try {
      installed.join();
    } catch (CompletionException e) {
      locked(
          slot,
          catchUp,
          () -> {
            slot.group.log().copyState().leftOut(image.id(), BlockSet.all());
            catchUp.missing(image.id(), BlockSet.none());
            return null;
          });
      throw e;
    }
  }

  /**
   * Tells the primary, again and again, until the view comes that makes this host in-sync.
   *
   * @return false when it has not come in time
   */
  private boolean announce(Attempt attempt) {
    long deadline = node.time().nanoTime() + PROMOTION.toNanos();
    while (isCurrent(attempt)) {
      if (node.time().nanoTime() - deadline > 0) {
        return false;
      }
      if (!announceOnce(attempt)) {
        return true;
      }
      for (int i = 0; i < POLLS && isCurrent(attempt); i++) {
        LockSupport.parkNanos(POLL.toNanos());
      }
    }
    return true;
  }

  private boolean announceOnce(Attempt attempt) {
    Slot slot = attempt.slot();
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
      Slot slot, CatchUp catchUp, java.util.function.Supplier<@Nullable T> action) {
    synchronized (slot) {
      synchronized (catchUp) {
        return action.get();
      }
    }
  }
}
