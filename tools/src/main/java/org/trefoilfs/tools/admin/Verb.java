package org.trefoilfs.tools.admin;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * What a daemon can be asked. Arguments and answers are the records of {@link Messages}; a field
 * that a peer does not know is skipped, so fields may be added.
 */
public enum Verb {
  WHERE,
  STATUS,
  HOST_LIST,
  HOST_LEAVE,
  HOST_REMOVE,
  RECOVER,
  RECOVER_HISTORY,
  LOST_LIST,
  LOST_KEPT,
  LOST_EXPORT,
  VOLUME_CREATE,
  VOLUME_LIST,
  VOLUME_SET,
  VOLUME_DELETE,
  MOUNT,
  UNMOUNT,
  MOUNTS,
  FSCK,
  STOP;

  /** As it stands in a message. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public static Verb ofWire(String text) {
    return Arrays.stream(values())
        .filter(verb -> verb.wire().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.INVALID,
                    "'"
                        + text
                        + "': unknown verb; this version knows "
                        + Arrays.stream(values())
                            .map(Verb::wire)
                            .collect(Collectors.joining(", "))));
  }
}
