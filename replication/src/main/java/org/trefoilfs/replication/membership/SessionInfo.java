package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * A mount's session.
 *
 * @param id chosen at random by the mount, never 0, never reused
 * @param host name or description of the machine that mounts, for operators
 * @param mountPoint where, on that machine
 */
public record SessionInfo(long id, int volume, String host, String mountPoint) {
  public void writeTo(ByteWriter out) {
    out.i64(id).i32(volume).string(host).string(mountPoint);
  }

  public static SessionInfo readFrom(ByteReader in) {
    return new SessionInfo(in.i64(), in.i32(), in.string(), in.string());
  }
}
