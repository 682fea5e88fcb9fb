package org.trefoilfs.replication.statelog.rocks;

import java.nio.file.Path;

/**
 * RocksDB failed. Not a {@code TrefoilException}: inside a command that would be a reply, and
 * replies must be the same on every host.
 */
public final class StoreFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StoreFailure(Path directory, Throwable cause) {
    super("state database " + directory + " failed: " + cause.getMessage(), cause);
  }
}
