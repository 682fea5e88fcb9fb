package org.trefoilfs.tools.latency;

import java.nio.ByteBuffer;
import org.trefoilfs.replication.volume.Volume;

/** An object of a volume, without a name and without FUSE: what replication alone takes. */
final class ObjectTarget implements Target {
  private final Volume volume;
  private final long inode;

  ObjectTarget(Volume volume, long inode) {
    this.volume = volume;
    this.inode = inode;
  }

  @Override
  public void write(long offset, ByteBuffer data) {
    volume.write(inode, offset, data.asReadOnlyBuffer()).join();
  }

  @Override
  public void sync() {
    volume.flush(inode).join();
  }

  @Override
  public void close() {
    volume.delete(inode, REGION_BYTES).join();
  }
}
