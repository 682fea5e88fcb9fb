package org.trefoilfs.tools.daemon;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.spool.SpooledWrite;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages;
import org.trefoilfs.tools.admin.Messages.Lost;
import org.trefoilfs.tools.admin.Messages.LostExport;
import org.trefoilfs.tools.admin.Messages.LostExported;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.LostRange;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.LostSpoolFiles;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.status.RpoBuilder;

/** What evicted mounts had acknowledged and never shipped: which of it there is, and its bytes. */
final class LostWrites {
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final RunningHost host;

  LostWrites(RunningHost host) {
    this.host = host;
  }

  /** All that the cluster knows of; exactly, where the spool is kept on a host that answers. */
  Lost list() {
    ClusterSnapshot snapshot = host.latest();
    Map<String, LostLine> byId = new LinkedHashMap<>();
    RpoBuilder.losses(snapshot).forEach(line -> byId.put(line.id(), line));
    for (HostInfo other : snapshot.hosts()) {
      for (LostLine kept : keptBy(other)) {
        LostLine known = byId.get(kept.id());
        byId.put(kept.id(), known == null ? kept : exact(known, kept));
      }
    }
    return new Lost(List.copyOf(byId.values()));
  }

  private static LostLine exact(LostLine known, LostLine kept) {
    return new LostLine(
        known.id(),
        known.volume(),
        known.mount(),
        known.time(),
        kept.host(),
        kept.bytes(),
        known.seconds(),
        kept.ranges());
  }

  private List<LostLine> keptBy(HostInfo other) {
    if (other.id().equals(host.identity().id())) {
      return kept().losses();
    }
    try {
      byte[] reply =
          host.ask(
              other.address(), Verb.LOST_KEPT.wire(), Json.bytes(new Messages.Nothing()), PATIENCE);
      return Json.read(reply, Lost.class).losses();
    } catch (TrefoilException silent) {
      return List.of();
    }
  }

  /** What this host keeps. */
  Lost kept() {
    List<LostLine> lines = new ArrayList<>();
    for (LostSpoolFiles files : host.keptLosses()) {
      List<SpooledRange> ranges = SpooledRange.of(files.writes());
      lines.add(
          new LostLine(
              files.id(),
              files.volume(),
              host.identity().name() + ":" + files.mountPoint(),
              "",
              host.identity().name(),
              ranges.stream().mapToLong(SpooledRange::length).sum(),
              -1,
              ranges.stream()
                  .map(range -> new LostRange(range.inode(), range.offset(), range.end()))
                  .toList()));
    }
    return new Lost(lines);
  }

  /** Makes a sparse file for each inode, with the lost bytes at their places. */
  LostExported export(LostExport argument) {
    LostSpoolFiles files =
        host.keptLosses().stream()
            .filter(kept -> kept.id().equals(argument.id()))
            .findFirst()
            .orElseThrow(() -> notKept(argument.id()));
    Path directory = Path.of(argument.directory());
    if (!directory.isAbsolute()) {
      throw new TrefoilException(Reason.INVALID, directory + ": give an absolute directory");
    }
    try {
      Files.createDirectories(directory);
      long bytes = 0;
      TreeSet<Long> inodes = new TreeSet<>();
      for (SpooledWrite write : files.writes()) {
        Path file = directory.resolve("inode-" + write.inode());
        if (inodes.add(write.inode()) && Files.exists(file)) {
          throw new TrefoilException(
              Reason.EXISTS, file + ": exists already; export into an empty directory");
        }
        put(file, write);
      }
      List<SpooledRange> ranges = SpooledRange.of(files.writes());
      for (SpooledRange range : ranges) {
        bytes += range.length();
      }
      Json.store(directory.resolve("ranges.json"), new Ranges(files.volume(), ranges));
      return new LostExported(directory.toString(), inodes.size(), bytes);
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, directory + ": cannot be written: " + e, e);
    }
  }

  /** What {@code ranges.json} beside the exported files holds. */
  private record Ranges(String volume, List<SpooledRange> ranges) {}

  private static void put(Path file, SpooledWrite write) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      var data = write.data().duplicate();
      long at = write.offset();
      while (data.hasRemaining()) {
        at += out.getChannel().write(data, at);
      }
    }
  }

  private TrefoilException notKept(String id) {
    return new TrefoilException(
        Reason.NOT_FOUND,
        "host "
            + host.identity().name()
            + " keeps no spool "
            + id
            + "; see which host does: trefoil lost list");
  }
}
