package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * A volume's row: {@code root(8) inodes(8) bytes(8) reaped(8)}. It outlives the volume, as the mark
 * that the volume must not come back.
 *
 * @param reaped 0 while the volume lives; else the inode number below which reaping is done
 */
record VolumeRow(long root, long inodes, long bytes, long reaped) {
  boolean deleted() {
    return reaped > 0;
  }

  VolumeRow plus(long moreInodes, long moreBytes) {
    return new VolumeRow(root, inodes + moreInodes, bytes + moreBytes, reaped);
  }

  VolumeRow reapedBelow(long inode) {
    return new VolumeRow(root, inodes, bytes, inode);
  }

  byte[] toRow() {
    return new ByteWriter(32).i64(root).i64(inodes).i64(bytes).i64(reaped).toBytes();
  }

  static @Nullable VolumeRow ofRow(byte @Nullable [] row) {
    if (row == null) {
      return null;
    }
    ByteReader in = new ByteReader(row);
    return new VolumeRow(in.i64(), in.i64(), in.i64(), in.i64());
  }
}
