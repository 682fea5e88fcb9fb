package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.docker.PluginHost;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.mount.MountSpec;

/** A host as the Docker volume plugin sees it. */
final class DockerHost implements PluginHost {
  private final RunningHost host;
  private final KeptMounts mounts;
  private final VolumeVerbs verbs;
  private final VolumeUses uses;

  DockerHost(RunningHost host, KeptMounts mounts) {
    this.host = host;
    this.mounts = mounts;
    this.verbs = new VolumeVerbs(host);
    this.uses = new VolumeUses(host, mounts);
  }

  @Override
  public String name() {
    return host.identity().name();
  }

  @Override
  public List<VolumeInfo> volumes() {
    return host.latest().volumes().stream().filter(volume -> !volume.deleted()).toList();
  }

  @Override
  public VolumeInfo volume(String name) {
    return Volumes.find(host, name);
  }

  @Override
  public void create(String name, Map<String, String> options) {
    VolumeArgument wanted = VolumeOptions.parse(name, options);
    Optional<VolumeInfo> present = present(name);
    if (present.isEmpty()) {
      try {
        verbs.create(wanted);
        return;
      } catch (TrefoilException e) {
        // Another engine may have been asked for the same at the same time.
        present = e.reason() == Reason.EXISTS ? present(name) : Optional.empty();
        if (present.isEmpty()) {
          throw e;
        }
      }
    }
    VolumeOptions.checkSame(wanted, present.get());
  }

  private Optional<VolumeInfo> present(String name) {
    return volumes().stream().filter(volume -> volume.name().equals(name)).findFirst();
  }

  @Override
  public void delete(String name) {
    Optional<VolumeInfo> volume = present(name);
    if (volume.isPresent()) {
      uses.checkUnused(volume.get());
      host.deleteVolume(volume.get());
    }
  }

  @Override
  public void mount(MountSpec spec) {
    mounts.mount(spec);
  }

  @Override
  public void unmount(Path directory) {
    mounts.unmount(directory);
  }

  @Override
  public Optional<Mounted> mounted(Path directory, Duration patience) {
    try {
      return mounts.awaited(directory, patience).map(DockerHost::mounted);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.INTERRUPTED, directory + ": interrupted", e);
    }
  }

  private static Mounted mounted(MountLine line) {
    return switch (line.state()) {
      case "mounted" -> new Mounted.Up();
      case "unmounted" -> new Mounted.Ended();
      default -> new Mounted.Waiting(line.problem());
    };
  }
}
