package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What earlier daemons of a mount had committed for requests that they may not have answered; the
 * kernel gives those that they have not once more. Filled before the first request is served.
 */
public final class ResentRequests {
  private final Map<Long, List<Known>> unclaimed = new HashMap<>();

  /** A reply, and what lets the state log forget it. */
  private record Known(Reply reply, Runnable forget) {}

  synchronized void add(long request, Reply reply, Runnable forget) {
    unclaimed.computeIfAbsent(request, any -> new ArrayList<>()).add(new Known(reply, forget));
  }

  /**
   * The request of this number, which came again; its replies are forgotten once it is answered.
   */
  public synchronized Request claim(long number) {
    List<Known> known = unclaimed.remove(number);
    if (known == null) {
      return Request.resent(number, List.of());
    }
    Request request = Request.resent(number, known.stream().map(Known::reply).toList());
    known.forEach(one -> request.whenAnswered(one.forget));
    return request;
  }

  /** No more will come: the others had been answered. */
  public synchronized void allCame() {
    unclaimed.values().forEach(known -> known.forEach(one -> one.forget.run()));
    unclaimed.clear();
  }
}
