package org.trefoilfs.tools.mount;

import java.util.concurrent.CompletableFuture;

/** A mount that lives in this process. */
public interface MountHandle extends AutoCloseable {
  /** Completes when the mount is gone, whoever took it off. */
  CompletableFuture<Void> ended();

  MountFigures figures();

  /** Leaves the mount to the next daemon, if it can outlive this one; else unmounts. */
  default void leave() {
    close();
  }

  /** Unmounts; does nothing when the mount is gone. */
  @Override
  void close();
}
