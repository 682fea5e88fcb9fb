package org.trefoilfs.tools.docker;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.kernel.MountPlace;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The directory under which volumes are mounted for containers, one for each that is in use, of its
 * name. Nothing can be written in such a directory while nothing is mounted there, and there is
 * none for a volume that is not in use: what a container writes is never left on a local disk.
 */
final class MountRoot {
  private static final Logger LOG = LoggerFactory.getLogger(MountRoot.class);

  /** What can be the name of a volume, and of a directory that is no other than that. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  private final Path root;

  MountRoot(Path root) {
    this.root = root;
  }

  /**
   * Makes the root, such that mounts in it show in other mount namespaces, such as an engine's. It
   * stays so when the host stops: an engine that starts meanwhile sees what the next daemon mounts.
   */
  void open() {
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw failed(root, "cannot be made", e);
    }
    if (!MountPlace.isShared(root)) {
      MountPlace.share(root);
    }
  }

  /** INVALID for what names no volume. */
  Path place(String volume) {
    if (!NAME.matcher(volume).matches()) {
      throw new TrefoilException(
          Reason.INVALID,
          "'%s' cannot name a volume; use up to 64 letters, digits, '.', '_' and '-'"
              .formatted(volume));
    }
    return root.resolve(volume);
  }

  boolean holds(Path directory) {
    return root.equals(directory.getParent());
  }

  /** Makes the directory of a volume that is about to be mounted. */
  Path prepare(String volume) {
    Path place = place(volume);
    try {
      Files.createDirectory(
          place,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("---------")));
    } catch (FileAlreadyExistsException left) {
      LOG.debug("{} is there already", place);
    } catch (IOException e) {
      throw failed(place, "cannot be made", e);
    }
    if (!isMounted(place)) {
      protect(place);
    }
    return place;
  }

  /** Without the flag, the mode keeps out everybody but root. */
  private static void protect(Path place) {
    try {
      MountPlace.set(place, MountPlace.Contents.IMMUTABLE);
    } catch (TrefoilException e) {
      LOG.info("{} is not made immutable: {}", place, e.getMessage());
    }
  }

  /** Removes the directory of a volume that is not mounted any more. */
  void remove(Path place) {
    if (isMounted(place)) {
      return;
    }
    try {
      MountPlace.set(place, MountPlace.Contents.CHANGEABLE);
    } catch (TrefoilException e) {
      LOG.debug("{}", place, e);
    }
    try {
      Files.deleteIfExists(place);
    } catch (IOException e) {
      LOG.warn("{} is left: {}", place, e.toString());
    }
  }

  static boolean isMounted(Path place) {
    return MountTable.at(place).isPresent();
  }

  /** Directories that there are; none is looked into, for what is mounted there may not answer. */
  List<Path> entries() {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> places = Files.newDirectoryStream(root)) {
      places.forEach(found::add);
      return found;
    } catch (NoSuchFileException none) {
      return found;
    } catch (IOException e) {
      throw failed(root, "cannot be read", e);
    }
  }

  private static TrefoilException failed(Path path, String what, IOException e) {
    return new TrefoilException(Reason.IO, path + ": " + what + ": " + e, e);
  }
}
