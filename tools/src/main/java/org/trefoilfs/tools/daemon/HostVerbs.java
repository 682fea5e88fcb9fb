package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
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
import org.trefoilfs.tools.admin.Messages.VolumeName;
import org.trefoilfs.tools.admin.Messages.Where;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.recover.RecoverBuilder;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.status.StatusBuilder;
import tools.jackson.databind.JsonNode;

/** The verbs, on a host that runs. */
final class HostVerbs implements DaemonService {
  private final RunningHost host;
  private final Path data;
  private final KeptMounts mounts;
  private final Consumer<Messages.Mounts> stop;
  private final HostAdministration administration;
  private final VolumeVerbs volumes;
  private final LostWrites lost;
  private final Observer observer;

  HostVerbs(RunningHost host, Path data, KeptMounts mounts, Consumer<Messages.Mounts> stop) {
    this.host = host;
    this.data = data;
    this.mounts = mounts;
    this.stop = stop;
    this.administration = new HostAdministration(host);
    this.volumes = new VolumeVerbs(host);
    this.lost = new LostWrites(host);
    this.observer = new Observer(host, mounts, volumes);
  }

  /** For those who watch this host by other means. */
  Observer observer() {
    return observer;
  }

  @Override
  public JsonNode handle(Verb verb, JsonNode argument) {
    return Json.tree(
        switch (verb) {
          case WHERE -> where();
          case STATUS -> observer.status();
          case HOST_LIST -> new Messages.Hosts(StatusBuilder.hosts(host.snapshot()));
          case HOST_LEAVE -> administration.leave(Json.convert(argument, HostLeave.class));
          case HOST_REMOVE -> administration.remove(Json.convert(argument, HostName.class).name());
          case RECOVER -> recover(Json.convert(argument, Recover.class));
          case RECOVER_HISTORY -> RecoverBuilder.history(host.latest());
          case LOST_LIST -> lost.list();
          case LOST_KEPT -> lost.kept();
          case LOST_EXPORT -> lost.export(Json.convert(argument, LostExport.class));
          case VOLUME_LIST -> new Messages.Volumes(volumes.list());
          case VOLUME_CREATE -> volumes.create(Json.convert(argument, VolumeArgument.class));
          case VOLUME_SET -> volumes.set(Json.convert(argument, VolumeArgument.class));
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
