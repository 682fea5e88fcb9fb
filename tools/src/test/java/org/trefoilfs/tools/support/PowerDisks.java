package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;

/**
 * Disks that can lose power: an ext4 each, on a loop device, made to write back as little by itself
 * as it can. {@link #cut} is the call by which xfstests cuts the power ({@code FS_IOC_SHUTDOWN}
 * with {@code NOLOGFLUSH}, ext4_force_shutdown in fs/ext4/ioctl.c): from one instant on nothing
 * reaches the device, and what the page cache and the running transaction hold is never written.
 * {@link #restore} mounts what is left, which replays ext4's journal as after a real loss of power.
 *
 * <p>Forgotten is so what no fsync(2) brought to the device:
 *
 * <ul>
 *   <li>data of a file, be it another than the one that was synced: {@code data=writeback} lets a
 *       transaction commit without the data of the files in it;
 *   <li>a file that was renamed over another without being synced is empty: {@code noauto_da_alloc}
 *       takes away the crutch by which ext4 hides that mistake;
 *   <li>names, sizes and attributes, until any file of the disk is synced: {@code commit=300}.
 * </ul>
 *
 * <p>Milder than POSIX allows a disk to be: one fsync(2) makes earlier names of the whole disk
 * stable, for ext4 has one journal. Dirty pages that are older than 30 s
 * (/proc/sys/vm/dirty_expire_centisecs) may have been written back: cut sooner than that after what
 * is to be forgotten. Whatever was handed to the device counts as stored, whether or not a cache
 * flush followed; on ext4 each fsync(2) and fdatasync(2) ends with one.
 */
public final class PowerDisks implements AutoCloseable {
  private static final String OPTIONS = "loop,commit=300,data=writeback,noauto_da_alloc";

  /** A process that was killed lets go of its files within this. */
  private static final Duration UNUSED = Duration.ofSeconds(30);

  private final LoopDisks disks;

  /**
   * @param images where the files are kept
   */
  public PowerDisks(Path images) {
    disks = new LoopDisks(images);
  }

  /** Makes a disk, and the directory that it is mounted on. */
  public void mount(Path directory, int megabytes) throws IOException {
    disks.mount(directory, megabytes, OPTIONS);
  }

  /** From now on every call on the disk fails with EIO, and nothing more is written to it. */
  public static void cut(Path directory) {
    Commands.run("xfs_io", "-x", "-c", "shutdown", directory.toString());
  }

  /** The power is back: the disk as the cut left it. Nobody may have a file of it open. */
  public void restore(Path directory) {
    Awaitility.await("nobody uses " + directory)
        .atMost(UNUSED)
        .until(() -> !Commands.fails("umount", directory.toString()));
    disks.mountAgain(directory);
  }

  @Override
  public void close() {
    disks.close();
  }
}
