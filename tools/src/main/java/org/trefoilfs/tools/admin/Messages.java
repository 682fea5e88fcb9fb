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
   * @param data its data directory
   */
  public record Where(Place place, String clusterId, int host, String name, String address) {
    /** Process and mount namespace; see {@link org.trefoilfs.tools.mount.Here}. */
    public record Place(String boot, String mountNamespace, long pid, String data) {}
  }

  /**
   * @param replicas copies of each chunk; absent in a change: as it is
   * @param commit absent in a change: as it is
   */
  public record VolumeArgument(
      String name, @Nullable Integer replicas, @Nullable CommitMode commit) {}

  public record VolumeName(String name) {}

  /**
   * A volume.
   *
   * @param commit {@code sync} or {@code async}
   */
  public record VolumeLine(String name, int replicas, String commit, long files, long bytes) {}

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

  public record Directory(String directory) {}

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
