package org.trefoilfs.tools.mount;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.nio.file.Path;
import java.util.List;

/**
 * A mount as a user asks for it, and as a daemon remembers it.
 *
 * @param directory absolute path of the mount point
 * @param options as after {@code -o}, one each
 */
public record MountSpec(
    String volume, String directory, List<String> options, FuseTransportKind transport) {
  public MountSpec {
    options = List.copyOf(options);
  }

  @JsonIgnore
  public Path path() {
    return Path.of(directory);
  }
}
