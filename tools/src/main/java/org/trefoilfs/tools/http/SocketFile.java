package org.trefoilfs.tools.http;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** The name of a Unix socket in the filesystem. */
public final class SocketFile {
  /** {@code sun_path} of unix(7), less the zero at its end. */
  private static final int MAX_PATH_BYTES = 107;

  /** What is appended while it is made: {@code /.XXXXXXXX/s}. */
  private static final int ROOM = 32;

  private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

  private final Path path;
  private @Nullable Object made;

  SocketFile(Path path) {
    this.path = path;
  }

  /** INVALID when no socket can have this name. */
  public static void checkName(Path path) {
    int most = MAX_PATH_BYTES - ROOM;
    if (!path.isAbsolute() || path.toString().getBytes(StandardCharsets.UTF_8).length > most) {
      throw new TrefoilException(
          Reason.INVALID,
          "'"
              + path
              + "' cannot name a socket; give an absolute path of at most "
              + most
              + " bytes");
    }
  }

  /** A socket that nobody listens at is a dead process's. */
  void checkFree() {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (SocketChannel other = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      LOG.debug("{} answers: {}", path, other);
    } catch (IOException nobody) {
      return;
    }
    throw new TrefoilException(
        Reason.EXISTS, path + ": another process serves there; stop it, or choose another socket");
  }

  /**
   * Makes the socket where nobody looks, restricts it to its owner, and gives it its name, all at
   * once: at no time may others connect, or does a connection find nobody.
   */
  <T> T publish(Function<Path, T> bind) {
    @Nullable Path aside = null;
    try {
      Files.createDirectories(path.getParent());
      aside = Files.createTempDirectory(path.getParent(), ".");
      Path fresh = aside.resolve("s");
      T bound = bind.apply(fresh);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
      made = key(fresh);
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return bound;
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, path + ": the socket cannot be made: " + e, e);
    } finally {
      delete(aside);
    }
  }

  /** If it is still the one that was made here. */
  void delete() {
    try {
      if (key(path).equals(made)) {
        Files.deleteIfExists(path);
      }
    } catch (IOException gone) {
      LOG.debug("{} is gone", path, gone);
    }
  }

  private static Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  private static void delete(@Nullable Path aside) {
    if (aside != null) {
      try {
        Files.deleteIfExists(aside);
      } catch (IOException e) {
        LOG.warn("{} is left", aside, e);
      }
    }
  }
}
