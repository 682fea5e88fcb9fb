package org.trefoilfs.replication.transport;

import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.TrefoilException;

/**
 * Decides when a receiver takes a request that brings much data. It is asked before the data is
 * read: what is not taken yet stays with the sender, in its memory and in the sockets between.
 */
public interface Intake {
  /**
   * Asks for room for a request on this lane. Thread-safe.
   *
   * @param bytes that its data needs in memory
   * @throws TrefoilException TOO_LARGE
   */
  Ticket ask(Message.Lane lane, long bytes);

  /** Room for one request: asked for, then taken, until it is released. */
  interface Ticket {
    /** Nothing is counted. */
    Ticket FREE =
        new Ticket() {
          private final CompletableFuture<Void> taken = CompletableFuture.completedFuture(null);

          @Override
          public CompletableFuture<Void> taken() {
            return taken;
          }

          @Override
          public void release() {}
        };

    /**
     * Completes, on any thread, when the request may be read; whoever completes it first, as after
     * a time-out, gives up waiting.
     */
    CompletableFuture<Void> taken();

    /**
     * The request has been handled, and whoever keeps its data counts it; or it does not come any
     * more. May be called more than once.
     */
    void release();
  }
}
