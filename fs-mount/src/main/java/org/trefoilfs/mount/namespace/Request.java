package org.trefoilfs.mount.namespace;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A request of the kernel's, from its reading to its answer; bound to the thread that serves it.
 *
 * <p>What it changes in the namespace is committed under its number, too, and the replies are kept
 * until the kernel has its answer. When the daemon is killed before that, the kernel gives the
 * request to the next one, which finds the replies ({@link ResentRequests}) and changes nothing
 * twice.
 */
public final class Request {
  /** Of nobody who would ask again. */
  public static final Request NONE = new Request(0, List.of());

  private static final ScopedValue<Request> CURRENT = ScopedValue.newInstance();

  private final long number;
  private final boolean resent;
  private final Queue<Reply> known;
  private final List<Runnable> later = new ArrayList<>(0);
  private boolean answered;

  /**
   * @param number the kernel's, unique as long as the mount lives; 0: none
   */
  public Request(long number) {
    this(number, false, List.of());
  }

  private Request(long number, List<Reply> known) {
    this(number, true, known);
    answered = number == 0;
  }

  private Request(long number, boolean resent, List<Reply> known) {
    this.number = number;
    this.resent = resent;
    this.known = new ArrayDeque<>(known);
  }

  /** One that an earlier daemon had read, too, with what its changes were answered then. */
  static Request resent(long number, List<Reply> known) {
    return new Request(number, known);
  }

  /** The one that this thread serves. */
  public static Request current() {
    return CURRENT.orElse(NONE);
  }

  public long number() {
    return number;
  }

  /** Whether an earlier daemon may have begun to serve it. */
  public boolean isResent() {
    return resent && number != 0;
  }

  /** Whether the change that comes next has succeeded under an earlier daemon. */
  public boolean isDone() {
    Reply next = known.peek();
    return next != null && !(next instanceof Reply.Failed);
  }

  /** Serves it on this thread; the kernel has its answer when {@code service} returns. */
  public void serve(Runnable service) {
    try {
      ScopedValue.where(CURRENT, this).run(service);
    } finally {
      answered().forEach(Runnable::run);
    }
  }

  /** Does on this thread what is part of serving it. */
  public <T> T during(Supplier<T> part) {
    return ScopedValue.where(CURRENT, this).call(part::get);
  }

  /** What the change that comes next was answered under an earlier daemon; null: it is new. */
  @Nullable Reply next() {
    return known.poll();
  }

  /** To be done when the kernel has its answer; at once if it has. */
  void whenAnswered(Runnable action) {
    synchronized (this) {
      if (!answered) {
        later.add(action);
        return;
      }
    }
    action.run();
  }

  private synchronized List<Runnable> answered() {
    answered = true;
    return List.copyOf(later);
  }
}
