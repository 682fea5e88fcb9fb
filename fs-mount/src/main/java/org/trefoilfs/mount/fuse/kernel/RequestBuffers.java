package org.trefoilfs.mount.fuse.kernel;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;

/**
 * A bounded number of {@link RequestBuffer}s, made when they are first needed. Who finds none waits
 * until one comes back.
 */
final class RequestBuffers {
  private final ConcurrentLinkedQueue<RequestBuffer> idle = new ConcurrentLinkedQueue<>();
  private final Semaphore free;

  RequestBuffers(int limit) {
    free = new Semaphore(limit);
  }

  RequestBuffer take() {
    free.acquireUninterruptibly();
    RequestBuffer used = idle.poll();
    return used == null ? new RequestBuffer() : used;
  }

  /** Back for others: nobody may look at its bytes any more. */
  void giveBack(RequestBuffer buffer) {
    idle.add(buffer);
    free.release();
  }

  /** Somebody may still look at its bytes: another takes its place. */
  void abandon() {
    free.release();
  }
}
