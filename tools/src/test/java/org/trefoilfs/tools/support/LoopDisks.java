package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Small ext4 disks in files, mounted where a test wants them, and gone when it ends. */
public final class LoopDisks implements AutoCloseable {
  private final Path images;
  private final List<Path> mounted = new ArrayList<>();

  /**
   * @param images where the files are kept
   */
  public LoopDisks(Path images) {
    this.images = images;
  }

  /** Makes a disk, and the directory that it is mounted on. */
  public void mount(Path directory, int megabytes) throws IOException {
    Files.createDirectories(directory);
    Path image = images.resolve("disk-" + mounted.size() + ".img");
    Commands.run("truncate", "-s", megabytes + "M", image.toString());
    Commands.run("mkfs.ext4", "-q", "-m", "0", image.toString());
    Commands.run("mount", "-o", "loop", image.toString(), directory.toString());
    mounted.add(directory);
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
    for (Path directory : mounted) {
      if (Commands.fails("umount", directory.toString())) {
        Commands.fails("umount", "-l", directory.toString());
      }
    }
  }
}
