package org.trefoilfs.replication.volume;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.transport.Message;

/**
 * Flushes that are sent to one host. Group commit begins here: while as many are under way as keep
 * the disks there busy, those that are asked for meanwhile gather, and go as one. None is answered
 * by a request that was sent before it was asked for. Safe for use by many threads.
 */
public final class SharedFlushes {
  /** One that the disks work for, and one that has come by the time they are done. */
  private static final int UNDER_WAY_MAX = 2;

  private final Function<Map<Integer, Long>, CompletableFuture<Message>> call;
  private int underWay;
  private @Nullable Batch gathering;

  /**
   * @param call sends one request: to flush these groups, each in the view named
   */
  public SharedFlushes(Function<Map<Integer, Long>, CompletableFuture<Message>> call) {
    this.call = call;
  }

  /** One request, and whose it is. */
  private static final class Batch {
    final Map<Integer, Long> viewOfGroup = new HashMap<>();
    final List<Asked> asked = new ArrayList<>();

    boolean takes(Map<Integer, Long> groups) {
      return groups.entrySet().stream()
          .allMatch(
              each ->
                  viewOfGroup.getOrDefault(each.getKey(), each.getValue()).equals(each.getValue()));
    }

    CompletableFuture<Message> add(Map<Integer, Long> groups) {
      Asked one = new Asked(groups, new CompletableFuture<>());
      viewOfGroup.putAll(groups);
      asked.add(one);
      return one.done();
    }
  }

  private record Asked(Map<Integer, Long> viewOfGroup, CompletableFuture<Message> done) {}

  /** Completes as the request does that has these groups along. */
  public CompletableFuture<Message> flush(Map<Integer, Long> viewOfGroup) {
    Batch now = new Batch();
    CompletableFuture<Message> done;
    synchronized (this) {
      if (underWay >= UNDER_WAY_MAX) {
        Batch next = gathering == null ? new Batch() : gathering;
        if (next.takes(viewOfGroup)) {
          gathering = next;
          return next.add(viewOfGroup);
        }
        // Two views of one group: one of them is over, and its flush is refused, alone.
      }
      underWay++;
      done = now.add(viewOfGroup);
    }
    send(now);
    return done;
  }

  private void send(Batch batch) {
    request(batch.viewOfGroup)
        .whenComplete(
            (message, failure) -> {
              sendNext();
              if (failure == null) {
                batch.asked.forEach(one -> one.done().complete(message));
              } else if (batch.asked.size() == 1) {
                batch.asked.getFirst().done().completeExceptionally(failure);
              } else {
                batch.asked.forEach(this::sendAlone);
              }
            });
  }

  /** What has gathered takes the place of the one that ended. */
  private void sendNext() {
    Batch next;
    synchronized (this) {
      next = underWay > UNDER_WAY_MAX ? null : gathering;
      if (next == null) {
        underWay--;
      } else {
        gathering = null;
      }
    }
    if (next != null) {
      send(next);
    }
  }

  /** That one group is refused is no reason to refuse those that it shared a request with. */
  private void sendAlone(Asked one) {
    request(one.viewOfGroup())
        .whenComplete(
            (message, failure) -> {
              if (failure == null) {
                one.done().complete(message);
              } else {
                one.done().completeExceptionally(failure);
              }
            });
  }

  private CompletableFuture<Message> request(Map<Integer, Long> viewOfGroup) {
    try {
      return call.apply(Map.copyOf(viewOfGroup));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
