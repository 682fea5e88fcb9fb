package org.trefoilfs.mount.fuse;

import java.util.concurrent.CompletableFuture;

/** A call that may have to wait for other callers, and is answered later. It needs no thread. */
public interface Later {
  /** Begins it, once. */
  CompletableFuture<Reply> start();

  /** The caller got a signal: the call fails with INTERRUPTED, or is as good as done. */
  void interrupt();
}
