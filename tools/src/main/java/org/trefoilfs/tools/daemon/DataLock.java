package org.trefoilfs.tools.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The exclusive hold on a data directory: a lock of the kernel's on {@code DIR/lock}, which goes with
 * its process however that ends. The file's text names the holder.
 */
public final class DataLock implements AutoCloseable {
  public static final String NAME = "lock";

  private final FileChannel channel;

  private DataLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Creates the directory where needed. EXISTS when another process holds it. */
  public static DataLock take(Path data, String purpose) {
    try {
      Files.createDirectories(data);
      FileChannel channel =
          FileChannel.open(
              data.resolve(NAME),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      return lock(data, channel, purpose);
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO,
          "data directory "
              + data
              + ": cannot be used ("
              + e
              + "); check that it is a directory this user may write to",
          e);
    }
  }

  private static DataLock lock(Path data, FileChannel channel, String purpose) throws IOException {
    FileLock lock = tryLock(channel);
    if (lock == null) {
      channel.close();
      throw new TrefoilException(Reason.EXISTS, inUse(data));
    }
    String holder = "process " + ProcessHandle.current().pid() + " (" + purpose + ")\n";
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(holder.getBytes(StandardCharsets.UTF_8)), 0);
    return new DataLock(channel);
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException heldByThisProcess) {
      return null;
    }
  }

  private static String inUse(Path data) throws IOException {
    String holder = Files.readString(data.resolve(NAME)).strip();
    return "data directory "
        + data
        + " is in use by "
        + (holder.isEmpty() ? "another process" : holder)
        + "; stop it with: trefoil host stop --data "
        + data;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, "lock cannot be released (" + e.getMessage() + ")", e);
    }
  }
}
