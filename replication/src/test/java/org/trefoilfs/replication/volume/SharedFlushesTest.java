package org.trefoilfs.replication.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Message;

/** Which request answers whom. */
final class SharedFlushesTest {
  private static final TrefoilException STALE =
      new TrefoilException(Reason.STALE_VIEW, "another view");

  private final List<Request> requests = new ArrayList<>();
  private final SharedFlushes flushes =
      new SharedFlushes(
          groups -> {
            Request request = new Request(groups, new CompletableFuture<>());
            requests.add(request);
            return request.answer();
          });

  private record Request(Map<Integer, Long> groups, CompletableFuture<Message> answer) {
    void answered() {
      answer.complete(new Message.Done());
    }
  }

  @Test
  void thoseThatAreAskedForWhileTwoAreUnderWayGoAsOne() {
    var first = flush(1, 10);
    var second = flush(2, 10);
    var third = flush(3, 11);
    var fourth = flush(4, 12);
    assertThat(requests)
        .extracting(Request::groups)
        .containsExactly(Map.of(1, 10L), Map.of(2, 10L));
    requests.get(0).answered();
    assertThat(first).isCompleted();
    assertThat(requests.get(2).groups()).isEqualTo(Map.of(3, 11L, 4, 12L));
    assertThat(third).isNotDone();
    requests.get(2).answered();
    assertThat(third).isCompleted();
    assertThat(fourth).isCompleted();
    assertThat(second).isNotDone();
  }

  @Test
  void noneIsAnsweredByARequestThatWasSentBefore() {
    flush(1, 10);
    flush(1, 10);
    var later = flush(1, 10);
    requests.get(0).answered();
    requests.get(1).answered();
    assertThat(later).isNotDone();
    assertThat(requests).hasSize(3);
    requests.get(2).answered();
    assertThat(later).isCompleted();
  }

  @Test
  void idleHostIsAskedAtOnceAgain() {
    for (int pg = 0; pg < 5; pg++) {
      var flush = flush(pg, 10);
      assertThat(requests).hasSize(pg + 1);
      requests.get(pg).answered();
      assertThat(flush).isCompleted();
    }
  }

  @Test
  void refusalOfAGroupIsNoRefusalOfThoseThatItWasSentWith() {
    flush(1, 10);
    flush(2, 10);
    var stale = flush(3, 10);
    var good = flush(4, 10);
    requests.get(0).answered();
    requests.get(2).answer().completeExceptionally(STALE);
    assertThat(stale).isNotDone();
    assertThat(requests.subList(3, 5))
        .extracting(Request::groups)
        .containsExactly(Map.of(3, 10L), Map.of(4, 10L));
    requests.get(3).answer().completeExceptionally(STALE);
    requests.get(4).answered();
    assertThat(stale).isCompletedExceptionally();
    assertThat(good).isCompleted();
  }

  @Test
  void twoViewsOfAGroupAreNotTakenForOne() {
    flush(1, 10);
    flush(1, 10);
    flush(1, 10);
    var newer = flush(1, 11);
    assertThat(requests.get(2).groups()).isEqualTo(Map.of(1, 11L));
    requests.get(2).answered();
    assertThat(newer).isCompleted();
    requests.get(0).answered();
    assertThat(requests.get(3).groups()).isEqualTo(Map.of(1, 10L));
  }

  @Test
  void whatCannotBeSentFailsAndHoldsNobodyUp() {
    var broken =
        new SharedFlushes(
            _ -> {
              throw STALE;
            });
    for (int i = 0; i < 5; i++) {
      assertThat(broken.flush(Map.of(1, 10L))).isCompletedExceptionally();
    }
  }

  private CompletableFuture<Message> flush(int pg, long view) {
    return flushes.flush(Map.of(pg, view));
  }
}
