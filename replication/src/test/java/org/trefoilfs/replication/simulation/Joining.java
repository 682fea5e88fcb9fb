package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** Drives the real {@link CatchUp} of each group that the host joins, as {@code CatchUps} does. */
final class Joining {
  private static final long RETRY = 200 * Network.MILLI;
  private static final long PROMOTION = 200 * Network.MILLI;

  private final SimHost host;
  private final HostGroups groups;
  private final Map<Integer, CatchUp> catchUps = new HashMap<>();
  private long runs;
  private final Map<Integer, Long> runOfGroup = new HashMap<>();

  private record Attempt(int pg, long view, HostId primary, long run) {}

  Joining(SimHost host, HostGroups groups) {
    this.host = host;
    this.groups = groups;
  }

  void forget(int pg) {
    catchUps.remove(pg);
  }

  /** Whether a committed entry is to be applied: always, unless its chunk is still to come. */
  boolean admits(Entry entry) {
    CatchUp catchUp = catchUps.get(entry.pg());
    return catchUp == null || catchUp.admits(entry);
  }

  void start(int pg, long view, HostId primary) {
    catchUps.put(pg, new CatchUp());
    Attempt attempt = new Attempt(pg, view, primary, ++runs);
    runOfGroup.put(pg, attempt.run());
    host.later(1, () -> copy(attempt));
  }

  private boolean isCurrent(Attempt attempt) {
    PgView current = groups.group(attempt.pg()).currentView();
    return groups.group(attempt.pg()).isJoiner()
        && current != null
        && current.view() == attempt.view()
        && runOfGroup.get(attempt.pg()) == attempt.run();
  }

  private void again(Attempt attempt, long after) {
    host.later(after, () -> copy(attempt));
  }

  private void copy(Attempt attempt) {
    if (!isCurrent(attempt)) {
      return;
    }
    then(attempt, groups.applier.barrier(), () -> list(attempt));
  }

  /** Goes on with the attempt when something is done, or tries it again when that fails. */
  private void then(Attempt attempt, CompletableFuture<?> done, Runnable next) {
    var unused =
        done.whenComplete(
            (_, failure) ->
                host.later(
                    1,
                    () -> {
                      if (failure != null) {
                        again(attempt, RETRY);
                      } else if (isCurrent(attempt)) {
                        next.run();
                      }
                    }));
  }

  private void ask(Attempt attempt, Message request, Consumer<Message> next) {
    groups.call(
        attempt.primary(),
        request,
        answer -> {
          if (isCurrent(attempt)) {
            next.accept(answer);
          }
        },
        (TrefoilException _) -> again(attempt, RETRY));
  }

  /** One that is complete stays so; it is only announced again. */
  private void list(Attempt attempt) {
    CatchUp last = catchUps.get(attempt.pg());
    if (last != null && last.isComplete()) {
      announce(attempt, last);
      return;
    }
    CatchUp catchUp = new CatchUp();
    catchUps.put(attempt.pg(), catchUp);
    GroupLog log = groups.group(attempt.pg()).log();
    Version base = log.copyState().base(log.committed()).orElse(null);
    if (base == null) {
      compareAll(attempt, catchUp);
      return;
    }
    ask(
        attempt,
        new Message.ListChanges(attempt.pg(), attempt.view(), base, log.copyState().reached()),
        answer -> changes(attempt, catchUp, base, (Message.ChangeList) answer));
  }

  private void changes(Attempt attempt, CatchUp catchUp, Version base, Message.ChangeList changes) {
    int pg = attempt.pg();
    Map<ChunkId, BlockSet> own =
        changes.known() ? groups.history(pg).ownSince(changes.since(), base).orElse(null) : null;
    if (own == null) {
      compareAll(attempt, catchUp);
      return;
    }
    groups.committedEarlier(pg, changes.recent());
    for (Message.ChangedChunk chunk : changes.chunks()) {
      boolean there =
          groups.group(pg).log().copyState().hasCopied(chunk.id())
              && host.disk.store.appliedNumber(pg, chunk.id()) >= chunk.lastN();
      if (!there) {
        changed(pg, catchUp, chunk.id(), chunk.blocks());
      }
    }
    new TreeMap<>(own).forEach((chunk, blocks) -> changed(pg, catchUp, chunk, blocks));
    new TreeMap<>(groups.group(pg).log().copyState().leftOut())
        .forEach((chunk, blocks) -> changed(pg, catchUp, chunk, blocks));
    catchUp.listed(changes.since());
    fetch(attempt, catchUp);
  }

  private void changed(int pg, CatchUp catchUp, ChunkId chunk, BlockSet blocks) {
    if (host.disk.store.appliedNumber(pg, chunk) > 0) {
      catchUp.changed(chunk, blocks);
    } else {
      catchUp.missing(chunk, blocks);
    }
  }

  private void compareAll(Attempt attempt, CatchUp catchUp) {
    catchUp.compareAll(
        host.disk.store.list(attempt.pg()),
        groups.group(attempt.pg()).log().copyState().leftOut().keySet());
    ask(
        attempt,
        new Message.ListChunks(attempt.pg(), attempt.view(), new ChunkId(Long.MIN_VALUE, 0)),
        answer -> {
          Message.ChunkList listing = (Message.ChunkList) answer;
          groups.committedEarlier(attempt.pg(), listing.recent());
          catchUp.listing(listing.chunks());
          List<CompletableFuture<Void>> removed = new ArrayList<>();
          for (ChunkId gone : catchUp.listingEnded()) {
            removed.add(groups.applier.replace(attempt.pg(), SimApplier.nothing(gone), List.of()));
          }
          then(
              attempt,
              CompletableFuture.allOf(removed.toArray(CompletableFuture[]::new)),
              () -> fetch(attempt, catchUp));
        });
  }

  private void fetch(Attempt attempt, CatchUp catchUp) {
    if (catchUps.get(attempt.pg()) != catchUp) {
      return;
    }
    CatchUp.Wanted wanted = catchUp.startFetch().orElse(null);
    if (wanted == null) {
      announce(attempt, catchUp);
      return;
    }
    Message request =
        wanted.blocks().isAll()
            ? new Message.FetchChunk(attempt.pg(), wanted.chunk())
            : new Message.FetchBlocks(
                attempt.pg(), attempt.view(), wanted.chunk(), catchUp.since(), wanted.blocks());
    ask(
        attempt,
        request,
        answer -> {
          ChunkImage image =
              answer instanceof Message.Blocks some
                  ? some.image()
                  : ((Message.Chunk) answer).image();
          BlockSet blocks = answer instanceof Message.Blocks some ? some.blocks() : BlockSet.all();
          then(
              attempt,
              catchUp
                  .fetched(image, blocks)
                  .map(kept -> install(attempt.pg(), image, blocks, kept))
                  .orElse(CompletableFuture.completedFuture(null)),
              () -> fetch(attempt, catchUp));
        });
  }

  private CompletableFuture<Void> install(
      int pg, ChunkImage image, BlockSet blocks, List<Entry> kept) {
    groups.group(pg).log().copyState().copied(image.id(), image.version());
    return blocks.isAll() || image.version().equals(Version.NONE)
        ? groups.applier.replace(pg, image, kept)
        : groups.applier.patch(pg, image, blocks, kept);
  }

  /** What was copied must outlive a loss of power before it is counted on. */
  private void announce(Attempt attempt, CatchUp catchUp) {
    if (!catchUp.isComplete()) {
      again(attempt, RETRY);
      return;
    }
    GroupLog log = groups.group(attempt.pg()).log();
    log.copyState().caughtUp(log.committed());
    groups.history(attempt.pg()).caughtUp();
    groups.append(log.copyState().record(attempt.pg()));
    Message caughtUp =
        new Message.CaughtUp(
            attempt.pg(),
            attempt.view(),
            host.id,
            host.incarnation,
            groups.group(attempt.pg()).joinedAt(),
            log.lastN());
    then(
        attempt,
        host.disk.sync(host.disk.end()),
        () -> ask(attempt, caughtUp, _ -> again(attempt, PROMOTION)));
  }
}
