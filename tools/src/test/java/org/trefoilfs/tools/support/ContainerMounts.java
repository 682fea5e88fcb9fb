package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.mount.fuse.kernel.MountPlace;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;

/** Hosts that are volume plugins, and what is left of them when they are killed. */
public final class ContainerMounts {
  private ContainerMounts() {}

  /** Each host at a socket of its own, {@link #socket}. */
  public static Machines on(Machines machines, Path directory) {
    return new Machines() {
      @Override
      public String listen(int host) {
        return machines.listen(host);
      }

      @Override
      public List<String> enter(int host) {
        return machines.enter(host);
      }

      @Override
      public HostConfig settings(int host) {
        HostConfig settings =
            machines.settings(host).with(Key.DOCKER_SOCKET, socket(directory, host).toString());
        // What these tests start again and again is in sync the sooner.
        return host == 1 ? settings.with(Key.GROUPS, "64") : settings;
      }
    };
  }

  public static Path socket(Path directory, int host) {
    return directory.resolve("plugins" + host).resolve("trefoil.sock");
  }

  /** Removes the directory of a host that does not run any more. Never fails. */
  static void remove(Path root) {
    if (!Files.isDirectory(root)) {
      return;
    }
    try (DirectoryStream<Path> places = Files.newDirectoryStream(root)) {
      for (Path place : places) {
        MountPlace.set(place, MountPlace.Contents.CHANGEABLE);
        Files.delete(place);
      }
      if (MountTable.at(root).isPresent()) {
        Unmounter.unmount(root, Unmounter.Manner.LAZY);
      }
    } catch (IOException | RuntimeException e) {
      System.err.println("left: " + root + ": " + e);
    }
  }
}
