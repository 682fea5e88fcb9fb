package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.spool.SpoolLimits;

/**
 * A volume. {@code id} is never reused; a deleted volume stays listed, unnamed to users, until its
 * files are gone.
 *
 * @param minInSync replicas of a group that must be in sync for writes to go on, 1 to {@code
 *     replicas}
 * @param rpo what each mounting host may lose of what is committed asynchronously
 */
public record VolumeInfo(
    int id,
    String name,
    int replicas,
    int minInSync,
    CommitMode commit,
    SpoolLimits rpo,
    boolean deleted) {
  /** With the usual {@code minInSync} and bounds. */
  public VolumeInfo(int id, String name, int replicas, CommitMode commit, boolean deleted) {
    this(id, name, replicas, usualMinInSync(replicas), commit, SpoolLimits.DEFAULT, deleted);
  }

  VolumeInfo gone() {
    return new VolumeInfo(id, name, replicas, minInSync, commit, rpo, true);
  }

  /**
   * A majority of three and more replicas: what was acknowledged survives one more loss while a
   * host is away. Of two, the survivor goes on alone: else the loss of either would stop writes.
   */
  public static int usualMinInSync(int replicas) {
    return replicas <= 2 ? 1 : replicas / 2 + 1;
  }

  public void writeTo(ByteWriter out) {
    rpo.writeTo(out.i32(id).string(name).i32(replicas).i32(minInSync).u8(code(commit)));
    out.bool(deleted);
  }

  public static VolumeInfo readFrom(ByteReader in) {
    return new VolumeInfo(
        in.i32(),
        in.string(),
        in.i32(),
        in.i32(),
        commitOf(in.u8()),
        SpoolLimits.readFrom(in),
        in.bool());
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
