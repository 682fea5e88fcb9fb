package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Small ext4 disks in files, mounted where a test wants them, and gone when it ends. */
public final class LoopDisks implements AutoCloseable {
  private final Path images;
  private final Map<Path, Disk> disks = new LinkedHashMap<>();

  /** A file that holds an ext4, and how that is mounted. */
  private record Disk(Path image, String options) {}

  /**
   * @param images where the files are kept
   */
  public LoopDisks(Path images) {
    this.images = images;
  }

  /** Makes a disk, and the directory that it is mounted on. */
  public void mount(Path directory, int megabytes) throws IOException {
    mount(directory, megabytes, "loop");
  }

  /** The same, with options as mount(8) takes them; {@code loop} must be among them. */
  void mount(Path directory, int megabytes, String options) throws IOException {
    Files.createDirectories(directory);
    Path image = images.resolve("disk-" + disks.size() + ".img");
    Commands.run("truncate", "-s", megabytes + "M", image.toString());
    Commands.run("mkfs.ext4", "-q", "-m", "0", image.toString());
    disks.put(directory, new Disk(image, options));
    mountAgain(directory);
  }

  /** Mounts a disk of ours that is not mounted now. */
  void mountAgain(Path directory) {
    Disk disk = disks.get(directory);
    Commands.run("mount", "-o", disk.options(), disk.image().toString(), directory.toString());
  }

  /** Takes space away, by a file that others of this machine might have written. */
  public static Path ballast(Path directory, int megabytes) {
    Path file = directory.resolve("ballast");
    Commands.run("fallocate", "-l", megabytes + "M", file.toString());
    return file;
  }

  /** Takes all of the space there is, to the last block. */
  public static Path fill(Path directory) {
    Path file = directory.resolve("ballast");
    if (!Commands.fails("dd", "if=/dev/zero", "of=" + file, "bs=64k")) {
      throw new IllegalStateException(directory + " does not get full");
    }
    return file;
  }

  /** The loop device goes with its mount, and the images with their directory. */
  @Override
  public void close() {
    for (Path directory : disks.keySet()) {
      if (Commands.fails("umount", directory.toString())) {
        Commands.fails("umount", "-l", directory.toString());
      }
    }
  }
}
