package org.trefoilfs.mount.fuse.libfuse;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import jnr.ffi.Pointer;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Later;
import org.trefoilfs.mount.fuse.Reply;

/**
 * Requests that are answered later than libfuse's callback returns, and their interrupts. libfuse
 * frees its session, and with it all requests, when the last user leaves: its threads, and each
 * request until its answer.
 */
final class LaterCalls {
  private final Libfuse library;
  private final Answers answers;
  private final Map<Long, Later> calls = new ConcurrentHashMap<>();
  private final AtomicInteger users = new AtomicInteger();

  /** Held here, as jnr frees the closure with it. */
  private final Callbacks.Interrupted callback = this::interrupted;

  private final Pointer function;
  private volatile Runnable last = () -> {};

  LaterCalls(Libfuse library, Answers answers) {
    this.library = library;
    this.answers = answers;
    this.function =
        Libfuse.runtime(library)
            .getClosureManager()
            .getClosurePointer(Callbacks.Interrupted.class, callback);
  }

  /** So many threads use the session; who leaves last does this. */
  void enter(int threads, Runnable whenLast) {
    last = whenLast;
    users.set(threads);
  }

  void enter() {
    users.incrementAndGet();
  }

  void leave() {
    if (users.decrementAndGet() == 0) {
      last.run();
    }
  }

  /** No request comes any more, and nobody waits for an answer. */
  void ended() {
    answers.ended();
  }

  /**
   * Begins it after its interrupt is asked for: libfuse still looks at the request when it has told
   * of one that came before, so it must not be answered yet.
   */
  CompletableFuture<Reply> begin(long request, Supplier<Later> parsed) {
    Later call = parsed.get();
    calls.put(request, call);
    library.fuse_req_interrupt_func(request, function, 0);
    return call.start();
  }

  /** Before its answer: after it, another request may have the same address. */
  void answering(long request) {
    calls.remove(request);
  }

  /** On a thread of its own, as libfuse holds a lock of the request meanwhile. */
  private void interrupted(long request, long data) {
    Later call = calls.get(request);
    if (call != null) {
      Thread.ofVirtual().name("fuse-interrupt").start(call::interrupt);
    }
  }
}
