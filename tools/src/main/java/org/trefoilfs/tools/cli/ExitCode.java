package org.trefoilfs.tools.cli;

import org.trefoilfs.replication.Reason;

/** Exit statuses, the same for every command. */
public enum ExitCode {
  OK(0, "Done."),
  FAILED(1, "Failed; the message says why."),
  USAGE(2, "The command line, the configuration or an argument makes no sense."),
  UNREACHABLE(3, "No host, or no majority of the hosts, could be reached."),
  NOT_FOUND(4, "A volume, mount point, directory or host that was named does not exist."),
  CONFLICT(5, "Exists already, is already mounted, or is in use."),
  MISSING(6, "The machine lacks something: /dev/fuse, libfuse, a permission.");

  private final int status;
  private final String meaning;

  ExitCode(int status, String meaning) {
    this.status = status;
    this.meaning = meaning;
  }

  public int status() {
    return status;
  }

  String meaning() {
    return meaning;
  }

  static ExitCode of(Reason reason) {
    return switch (reason) {
      case INVALID, NAME_TOO_LONG -> USAGE;
      case UNAVAILABLE, NOT_LEADER -> UNREACHABLE;
      case NOT_FOUND -> NOT_FOUND;
      case EXISTS, BUSY -> CONFLICT;
      case NOT_SUPPORTED -> MISSING;
      case NOT_EMPTY,
          NOT_DIRECTORY,
          IS_DIRECTORY,
          NO_SPACE,
          TOO_LARGE,
          NO_ATTRIBUTE,
          NOT_PERMITTED,
          ACCESS_DENIED,
          STALE,
          TOO_MANY_LINKS,
          CROSS_DEVICE,
          WOULD_BLOCK,
          DEADLOCK,
          NO_LOCKS,
          INTERRUPTED,
          OUTCOME_UNKNOWN,
          CORRUPT,
          IO,
          STALE_VIEW,
          REFUSED,
          INTERNAL ->
          FAILED;
    };
  }
}
