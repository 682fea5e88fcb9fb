package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A small ext4 of its own in a file, mounted through a loop device; gone when closed. */
public final class LoopDisk implements AutoCloseable {
  private final Path image;
  private final Path mount;

  private LoopDisk(Path image, Path mount) {
    this.image = image;
    this.mount = mount;
  }

  public static LoopDisk create(Path directory, int megabytes) throws Exception {
    Path image = directory.resolve("disk.img");
    Path mount = Files.createDirectory(directory.resolve("disk"));
    run("truncate", "-s", megabytes + "M", image.toString());
    run("mkfs.ext4", "-q", "-m", "0", image.toString());
    run("mount", "-o", "loop", image.toString(), mount.toString());
    return new LoopDisk(image, mount);
  }

  public Path path() {
    return mount;
  }

  /** Fills the disk up to the last block. */
  public Path fill() throws IOException {
    Path ballast = mount.resolve("ballast");
    byte[] piece = new byte[64 << 10];
    Arrays.fill(piece, (byte) 7);
    try (var out = Files.newOutputStream(ballast)) {
      while (true) {
        out.write(piece);
      }
    } catch (IOException e) {
      if (!Disk.isFull(e)) {
        throw e;
      }
    }
    return ballast;
  }

  @Override
  public void close() throws Exception {
    try {
      run("umount", mount.toString());
    } catch (IOException e) {
      run("umount", "-l", mount.toString());
    } finally {
      Files.deleteIfExists(image);
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
  }
}
