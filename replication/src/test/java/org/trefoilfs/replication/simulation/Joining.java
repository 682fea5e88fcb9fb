package org.trefoilfs.replication.simulation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** Drives the real {@link CatchUp} of each group that the host joins, as {@code CatchUps} does. */
final class Joining {
  private static final long RETRY = 200 * Network.MILLI;
  private static final long PROMOTION = 2 * Network.SECOND;

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
    catchUps.put(pg, new CatchUp(List.of()));
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

  private void list(Attempt attempt) {
    CatchUp catchUp = new CatchUp(host.disk.store.list(attempt.pg()));
    catchUps.put(attempt.pg(), catchUp);
    ask(
        attempt,
        new Message.ListChunks(attempt.pg(), attempt.view(), new ChunkId(Long.MIN_VALUE, 0)),
        answer -> {
          Message.ChunkList listing = (Message.ChunkList) answer;
          groups.committedEarlier(attempt.pg(), listing.recent());
          catchUp.listing(listing.chunks());
          for (ChunkId gone : catchUp.listed()) {
            groups.applier.replace(attempt.pg(), SimApplier.nothing(gone), List.of());
          }
          fetch(attempt, catchUp);
        });
  }

  private void fetch(Attempt attempt, CatchUp catchUp) {
    if (catchUps.get(attempt.pg()) != catchUp) {
      return;
    }
    ChunkId chunk = catchUp.startFetch().orElse(null);
    if (chunk == null) {
      announce(attempt, catchUp);
      return;
    }
    ask(
        attempt,
        new Message.FetchChunk(attempt.pg(), chunk),
        answer -> {
          ChunkImage image = ((Message.Chunk) answer).image();
          groups.applier.replace(attempt.pg(), image, catchUp.fetched(image));
          fetch(attempt, catchUp);
        });
  }

  /** What was copied must outlive a loss of power before it is counted on. */
  private void announce(Attempt attempt, CatchUp catchUp) {
    if (!catchUp.isComplete()) {
      again(attempt, RETRY);
      return;
    }
    Message caughtUp =
        new Message.CaughtUp(
            attempt.pg(),
            attempt.view(),
            host.id,
            host.incarnation,
            groups.group(attempt.pg()).joinedAt());
    then(
        attempt,
        host.disk.sync(host.disk.end()),
        () -> ask(attempt, caughtUp, _ -> again(attempt, PROMOTION)));
  }
}
