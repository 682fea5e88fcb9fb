package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.tools.admin.DaemonService;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages;
import org.trefoilfs.tools.admin.Messages.Directory;
import org.trefoilfs.tools.admin.Messages.HostLeave;
import org.trefoilfs.tools.admin.Messages.HostName;
import org.trefoilfs.tools.admin.Messages.LostExport;
import org.trefoilfs.tools.admin.Messages.MountList;
import org.trefoilfs.tools.admin.Messages.Recover;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Messages.VolumeName;
import org.trefoilfs.tools.admin.Messages.Where;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.Promises;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.recover.RecoverBuilder;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.status.StatusBuilder;
import tools.jackson.databind.JsonNode;

/** The verbs, on a host that runs. */
final class HostVerbs implements DaemonService {
  /** When {@code volume create} says nothing (DESIGN 1). */
  private static final int DEFAULT_REPLICAS = 3;

  private static final int MAX_REPLICAS = 7;

  private final RunningHost host;
  private final Path data;
  private final KeptMounts mounts;
  private final Consumer<Messages.Mounts> stop;
  private final HostAdministration administration;
  private final LostWrites lost;

  HostVerbs(RunningHost host, Path data, KeptMounts mounts, Consumer<Messages.Mounts> stop) {
    this.host = host;
    this.data = data;
    this.mounts = mounts;
    this.stop = stop;
    this.administration = new HostAdministration(host);
    this.lost = new LostWrites(host);
  }

  @Override
  public JsonNode handle(Verb verb, JsonNode argument) {
    return Json.tree(
        switch (verb) {
          case WHERE -> where();
          case STATUS -> status();
          case HOST_LIST -> new Messages.Hosts(StatusBuilder.hosts(host.snapshot()));
          case HOST_LEAVE -> administration.leave(Json.convert(argument, HostLeave.class));
          case HOST_REMOVE -> administration.remove(Json.convert(argument, HostName.class).name());
          case RECOVER -> recover(Json.convert(argument, Recover.class));
          case RECOVER_HISTORY -> RecoverBuilder.history(host.latest());
          case LOST_LIST -> lost.list();
          case LOST_KEPT -> lost.kept();
          case LOST_EXPORT -> lost.export(Json.convert(argument, LostExport.class));
          case VOLUME_LIST -> new Messages.Volumes(volumes());
          case VOLUME_CREATE -> create(Json.convert(argument, VolumeArgument.class));
          case VOLUME_SET -> set(Json.convert(argument, VolumeArgument.class));
          case VOLUME_DELETE -> delete(Json.convert(argument, VolumeName.class).name());
          case MOUNT -> mount(Json.convert(argument, MountSpec.class));
          case UNMOUNT -> unmount(Json.convert(argument, Directory.class));
          case MOUNTS -> new MountList(mounts.lines());
          case FSCK -> host.fsck();
          case STOP -> stop(Json.convert(argument, Messages.Stop.class));
        });
  }

  private RecoverReport recover(Recover argument) {
    Recovering recovering = new Recovering(host);
    return argument.operator() == null
        ? recovering.look()
        : recovering.acceptLoss(argument.operator());
  }

  private Where where() {
    RunningHost.Identity identity = host.identity();
    Here here = Here.current();
    return new Where(
        new Where.Place(
            here.boot(), here.mountNamespace(), ProcessHandle.current().pid(), data.toString()),
        identity.clusterId(),
        identity.id().value(),
        identity.name(),
        identity.address().toString(),
        StatusBuilder.survival(host.snapshot()));
  }

  private Object status() {
    ClusterSnapshot snapshot = host.snapshot();
    Map<Integer, VolumeUsage> usage = new HashMap<>();
    for (VolumeInfo volume : snapshot.volumes()) {
      if (!volume.deleted()) {
        usage.put(volume.id(), usage(volume));
      }
    }
    return StatusBuilder.build(snapshot, usage, new ClusterMounts(host, mounts).all(snapshot));
  }

  /** A status without counts is better than none while there is no majority. */
  private VolumeUsage usage(VolumeInfo volume) {
    try {
      return host.usage(volume);
    } catch (TrefoilException unavailable) {
      return StatusBuilder.UNKNOWN;
    }
  }

  private List<VolumeLine> volumes() {
    return host.latest().volumes().stream()
        .filter(volume -> !volume.deleted())
        .map(volume -> StatusBuilder.line(volume, usage(volume)))
        .toList();
  }

  private VolumeLine create(VolumeArgument argument) {
    int replicas = Optional.ofNullable(argument.replicas()).orElse(DEFAULT_REPLICAS);
    checkReplicas(argument.name(), replicas);
    checkMinInSync(argument, replicas);
    Promises promises = promises(argument, CommitMode.SYNC, SpoolLimits.DEFAULT);
    VolumeInfo volume = host.createVolume(argument.name(), replicas, promises);
    return StatusBuilder.changed(host.snapshot(), volume, new VolumeUsage(0, 0));
  }

  private void checkReplicas(String name, int replicas) {
    if (replicas < 1 || replicas > MAX_REPLICAS) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume "
              + name
              + ": "
              + replicas
              + " replicas; give a number from 1 to "
              + MAX_REPLICAS);
    }
    long storage = host.snapshot().hosts().stream().filter(HostVerbs::stores).count();
    if (storage < replicas) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          "volume "
              + name
              + ": "
              + replicas
              + " replicas need as many storage hosts, and there are "
              + storage
              + "; start more, or give --replicas "
              + storage);
    }
  }

  private static void checkMinInSync(VolumeArgument argument, int replicas) {
    Integer wanted = argument.minInSync();
    if (wanted != null && (wanted < 1 || wanted > replicas)) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume %s: %d of %d replicas cannot have to be in sync; give --min-in-sync 1 to %d"
              .formatted(argument.name(), wanted, replicas, replicas));
    }
  }

  private static boolean stores(HostInfo info) {
    return !info.witness();
  }

  private VolumeLine set(VolumeArgument argument) {
    VolumeInfo volume = Volumes.latest(host, argument.name());
    int replicas = Optional.ofNullable(argument.replicas()).orElse(volume.replicas());
    checkReplicas(argument.name(), replicas);
    checkMinInSync(argument, replicas);
    Promises promises = promises(argument, volume.commit(), volume.rpo());
    VolumeInfo changed = host.setVolume(volume, replicas, promises);
    return StatusBuilder.changed(host.snapshot(), changed, usage(changed));
  }

  private static Promises promises(VolumeArgument argument, CommitMode commit, SpoolLimits rpo) {
    return new Promises(
        Optional.ofNullable(argument.minInSync()).orElse(0),
        Optional.ofNullable(argument.commit()).orElse(commit),
        new SpoolLimits(
            Optional.ofNullable(argument.rpoMillis()).map(Duration::ofMillis).orElse(rpo.age()),
            Optional.ofNullable(argument.rpoBytes()).orElse(rpo.bytes())));
  }

  private Messages.Nothing delete(String name) {
    VolumeInfo volume = volume(name);
    Optional<Path> mounted = mounts.mountOf(name);
    if (mounted.isPresent()) {
      throw new TrefoilException(
          Reason.BUSY,
          "volume "
              + name
              + ": mounted at "
              + mounted.get()
              + "; first run: trefoil unmount "
              + mounted.get());
    }
    host.deleteVolume(volume);
    return new Messages.Nothing();
  }

  private VolumeInfo volume(String name) {
    return Volumes.find(host, name);
  }

  private Messages.Nothing mount(MountSpec spec) {
    volume(spec.volume());
    mounts.mount(spec);
    return new Messages.Nothing();
  }

  private Messages.Nothing unmount(Directory argument) {
    mounts.unmount(Path.of(argument.directory()));
    return new Messages.Nothing();
  }

  private Messages.Nothing stop(Messages.Stop argument) {
    stop.accept(Optional.ofNullable(argument.mounts()).orElse(Messages.Mounts.UNMOUNTED));
    return new Messages.Nothing();
  }
}
