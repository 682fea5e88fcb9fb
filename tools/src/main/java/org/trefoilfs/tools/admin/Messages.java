package org.trefoilfs.tools.admin;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.commit.CommitMode;

/** Arguments and answers of the {@link Verb}s. */
public final class Messages {
  private Messages() {}

  /** An argument or an answer that has nothing to say. */
  public record Nothing() {}

  /**
   * Which daemon this is and where it runs.
   *
   * @param warnings what so small a cluster does not survive, in sentences
   */
  public record Where(
      Place place, String clusterId, int host, String name, String address, List<String> warnings) {
    /**
     * Process and mount namespace; see {@link org.trefoilfs.tools.mount.Here}.
     *
     * @param data its data directory
     */
    public record Place(String boot, String mountNamespace, long pid, String data) {}
  }

  /**
   * @param replicas copies of each chunk; absent in a change: as it is
   * @param minInSync of them that must be in sync for writes; absent: as usual, or as it is
   * @param commit absent in a change: as it is
   * @param rpoMillis age of the oldest write that may wait for the replicas; absent: usual, as it
   *     is
   * @param rpoBytes of writes that may wait for the replicas; absent: usual, as it is
   */
  public record VolumeArgument(
      String name,
      @Nullable Integer replicas,
      @Nullable Integer minInSync,
      @Nullable CommitMode commit,
      @Nullable Long rpoMillis,
      @Nullable Long rpoBytes) {
    public VolumeArgument(String name, Integer replicas, CommitMode commit) {
      this(name, replicas, null, commit, null, null);
    }
  }

  public record VolumeName(String name) {}

  /**
   * A volume.
   *
   * @param minInSync replicas that must be in sync for writes to go on
   * @param commit {@code sync} or {@code async}
   * @param rpoMillis what a mounting host may lose of what is committed asynchronously, in time
   * @param rpoBytes and in bytes
   * @param warnings what that does not survive, in sentences
   */
  public record VolumeLine(
      String name,
      int replicas,
      int minInSync,
      String commit,
      long rpoMillis,
      long rpoBytes,
      long files,
      long bytes,
      List<String> warnings) {}

  public record Volumes(List<VolumeLine> volumes) {}

  /**
   * A host.
   *
   * @param id such as {@code h1}
   * @param state {@code joining}, {@code up}, {@code down} or {@code leaving}
   * @param role {@code leader}, {@code voter}, {@code witness} or {@code storage}
   */
  public record HostLine(
      String id, String name, String address, String state, String role, Disk space) {}

  /**
   * @param alive whether the host has been heard of within its lease
   * @param total bytes of the disk
   * @param usable bytes that may still be written
   */
  public record Disk(boolean alive, long total, long usable) {}

  public record Hosts(List<HostLine> hosts) {}

  /** A host by its name, or by its id such as {@code h2}. */
  public record HostName(String name) {}

  /**
   * @param warnings what the cluster lacks without it, in sentences
   */
  public record HostRemoved(String name, List<String> warnings) {}

  /**
   * @param leaving whether the host is to be emptied, or to stay after all
   */
  public record HostLeave(String name, boolean leaving) {}

  /**
   * @param operator who accepts the loss, in words; absent: only look
   */
  public record Recover(@Nullable String operator) {}

  public record Directory(String directory) {}

  /** What becomes of a host's mounts when it stops. */
  public enum Mounts {
    UNMOUNTED,
    /** Calls on them wait for its next start. */
    KEPT
  }

  /**
   * @param mounts absent: unmounted
   */
  public record Stop(@Nullable Mounts mounts) {}

  /**
   * Writes that were acknowledged by a mount and will never be in the volume, because the mount was
   * evicted before it had shipped them.
   *
   * @param id the mount's session
   * @param host where its spool is kept for export; empty: it has not returned
   * @param bytes as the kept spool has them; else as the mount had last said
   * @param seconds age of the oldest when the mount was last heard
   * @param ranges not all if the spool is not kept and there were many
   */
  public record LostLine(
      String id,
      String volume,
      String mount,
      String time,
      String host,
      long bytes,
      double seconds,
      List<LostRange> ranges) {}

  /** Bytes {@code offset} up to {@code end} of an inode. */
  public record LostRange(long inode, long offset, long end) {}

  public record Lost(List<LostLine> losses) {}

  /**
   * @param id as in {@link LostLine}
   * @param directory where the files are to be made, on the host that keeps the spool
   */
  public record LostExport(String id, String directory) {}

  /** What was exported. */
  public record LostExported(String directory, int files, long bytes) {}

  /**
   * A mount that a daemon keeps.
   *
   * @param state {@code mounted}, {@code waiting} or {@code unmounted}
   * @param problem why it is not mounted, or empty
   */
  public record MountLine(
      String directory, String volume, String host, String state, String problem) {}

  public record MountList(List<MountLine> mounts) {}
}
