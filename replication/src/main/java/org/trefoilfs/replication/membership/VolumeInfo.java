package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.commit.CommitMode;

/**
 * A volume. {@code id} is never reused; a deleted volume stays listed, unnamed to users, until its
 * files are gone.
 */
public record VolumeInfo(int id, String name, int replicas, CommitMode commit, boolean deleted) {
  public void writeTo(ByteWriter out) {
    out.i32(id).string(name).i32(replicas).u8(code(commit)).bool(deleted);
  }

  public static VolumeInfo readFrom(ByteReader in) {
    return new VolumeInfo(in.i32(), in.string(), in.i32(), commitOf(in.u8()), in.bool());
  }

  static int code(CommitMode commit) {
    return switch (commit) {
      case SYNC -> 1;
      case ASYNC -> 2;
    };
  }

  static CommitMode commitOf(int code) {
    return switch (code) {
      case 1 -> CommitMode.SYNC;
      case 2 -> CommitMode.ASYNC;
      default -> throw new TrefoilException(Reason.INVALID, "unknown commit mode " + code);
    };
  }
}
