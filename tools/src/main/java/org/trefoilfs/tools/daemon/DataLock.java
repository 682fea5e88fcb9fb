package org.trefoilfs.tools.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The exclusive hold on a data directory: a lock of the kernel's on {@code DIR/lock}, which goes
 * with its process however that ends. The file's text names the holder.
 */
public final class DataLock implements AutoCloseable {
  public static final String NAME = "lock";

  /**
   * Directories held by this process. The kernel drops a process's locks on a file when it closes
   * any descriptor of that file (fcntl(2)), so a held file must not be opened again here.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path data;
  private final FileChannel channel;

  private DataLock(Path data, FileChannel channel) {
    this.data = data;
    this.channel = channel;
  }

  /** Creates the directory where needed. EXISTS when another process holds it. */
  public static DataLock take(Path data, String purpose) {
    Path absolute = data.toAbsolutePath().normalize();
    if (!HELD.add(absolute)) {
      throw new TrefoilException(Reason.EXISTS, inUse(absolute, "this process"));
    }
    try {
      return open(absolute, purpose);
    } catch (TrefoilException e) {
      HELD.remove(absolute);
      throw e;
    }
  }

  private static DataLock open(Path data, String purpose) {
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
    FileLock lock = channel.tryLock();
    if (lock == null) {
      channel.close();
      String holder = Files.readString(data.resolve(NAME)).strip();
      throw new TrefoilException(
          Reason.EXISTS, inUse(data, holder.isEmpty() ? "another process" : holder));
    }
    String holder = "process " + ProcessHandle.current().pid() + " (" + purpose + ")\n";
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(holder.getBytes(StandardCharsets.UTF_8)), 0);
    return new DataLock(data, channel);
  }

  private static String inUse(Path data, String holder) {
    return "data directory "
        + data
        + " is in use by "
        + holder
        + "; stop it with: trefoil host stop --data "
        + data;
  }

  @Override
  public void close() {
    try {
      channel.close();
      HELD.remove(data);
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, "lock cannot be released (" + e.getMessage() + ")", e);
    }
  }
}
