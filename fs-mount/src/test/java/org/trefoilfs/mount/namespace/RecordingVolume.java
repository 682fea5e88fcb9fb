package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/** A volume that only remembers what was deleted. */
final class RecordingVolume implements Volume {
  final Map<Long, Long> done = new HashMap<>();
  final Set<Long> failing = new HashSet<>();

  @Override
  public CompletableFuture<Void> delete(long inode, long size) {
    if (failing.contains(inode)) {
      return CompletableFuture.failedFuture(
          new TrefoilException(Reason.UNAVAILABLE, "no replica answers"));
    }
    done.put(inode, size);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<ByteBuffer> read(long inode, long offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> write(long inode, long offset, ByteBuffer data) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<List<DataRange>> allocated(long inode, long offset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> punch(long inode, long offset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> flush(long inode) {
    throw new UnsupportedOperationException();
  }
}
