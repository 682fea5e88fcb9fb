package org.trefoilfs.tools.status;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.host.MountReport;
import org.trefoilfs.replication.membership.LostSpool;
import org.trefoilfs.replication.membership.SessionInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.LostRange;
import org.trefoilfs.tools.library.ClusterSnapshot;

/** What asynchronous commit would lose, and has lost. Pure. */
public final class RpoBuilder {
  private static final double NANOS = 1e9;

  private RpoBuilder() {}

  /** Of each mount of an async volume, and of each that has committed anything asynchronously. */
  static List<StatusReport.Rpo> windows(ClusterSnapshot snapshot) {
    Map<Integer, VolumeInfo> volumes = volumes(snapshot);
    return snapshot.mounts().sessions().stream()
        .sorted(Comparator.comparing(SessionInfo::host).thenComparing(SessionInfo::mountPoint))
        .flatMap(session -> window(snapshot, volumes, session))
        .toList();
  }

  private static Stream<StatusReport.Rpo> window(
      ClusterSnapshot snapshot, Map<Integer, VolumeInfo> volumes, SessionInfo session) {
    MountReport report = snapshot.mounts().reports().get(session.id());
    VolumeInfo volume = volumes.get(session.volume());
    if (report == null
        || volume == null
        || (volume.commit() == CommitMode.SYNC && report.window().worstBytes() == 0)) {
      return Stream.empty();
    }
    SpoolWindow window = report.window();
    SpoolLimits bounds = volume.rpo();
    return Stream.of(
        new StatusReport.Rpo(
            volume.name(),
            session.host() + ":" + session.mountPoint(),
            window.nanos() / NANOS,
            window.bytes(),
            window.worstNanos() / NANOS,
            window.worstBytes(),
            bounds.age().toMillis() / 1e3,
            bounds.bytes(),
            window.slowedNanos() / NANOS,
            report.ageNanos() / NANOS));
  }

  /** What evicted mounts had last said, the oldest first. */
  public static List<LostLine> losses(ClusterSnapshot snapshot) {
    Map<Integer, VolumeInfo> volumes = volumes(snapshot);
    return snapshot.lostSpools().stream()
        .sorted(Comparator.comparingLong(LostSpool::epoch))
        .map(lost -> line(lost, Optional.ofNullable(volumes.get(lost.mount().volume()))))
        .toList();
  }

  private static LostLine line(LostSpool lost, Optional<VolumeInfo> volume) {
    return new LostLine(
        "%016x".formatted(lost.mount().id()),
        volume.map(VolumeInfo::name).orElse("?"),
        lost.mount().host() + ":" + lost.mount().mountPoint(),
        Instant.ofEpochMilli(lost.atMillis()).toString(),
        "",
        lost.window().bytes(),
        lost.window().nanos() / NANOS,
        lost.ranges().stream()
            .map(range -> new LostRange(range.inode(), range.offset(), range.end()))
            .toList());
  }

  private static Map<Integer, VolumeInfo> volumes(ClusterSnapshot snapshot) {
    return snapshot.volumes().stream()
        .collect(Collectors.toMap(VolumeInfo::id, Function.identity()));
  }
}
