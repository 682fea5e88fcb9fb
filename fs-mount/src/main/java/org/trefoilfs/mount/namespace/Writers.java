package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;

/**
 * Which sessions may be writing a file's bytes now. What was read while there was none is what the
 * file holds for as long as the version stays the same.
 *
 * @param version grows whenever a session begins to write
 */
public record Writers(long version, List<Long> sessions) {
  public static final Writers NONE = new Writers(0, List.of());

  public Writers {
    sessions = List.copyOf(sessions);
  }

  Writers with(long session) {
    List<Long> more = new ArrayList<>(sessions);
    more.add(session);
    return new Writers(version + 1, more);
  }

  Writers without(long session) {
    return new Writers(version, sessions.stream().filter(other -> other != session).toList());
  }

  /** Bytes are about to change that no session among them will write. */
  Writers next() {
    return new Writers(version + 1, sessions);
  }
}
