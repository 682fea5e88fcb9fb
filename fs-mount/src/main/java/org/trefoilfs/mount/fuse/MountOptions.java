package org.trefoilfs.mount.fuse;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Options of a mount, as after {@code -o}.
 *
 * @param source what the mount table shows as the device: {@code trefoil:VOLUME}
 * @param timeout no call lasts longer; absent: as long as the cluster is waited for, and a little
 * @param threads calls served at the same time through libfuse; the kernel transport has no such
 *     limit, and up to 4 threads that read
 * @param orphanTimeout how long calls wait for the next daemon when the one that serves them is
 *     gone, before they fail; whole seconds. For the kernel transport
 */
public record MountOptions(
    Set<Flag> flags,
    String source,
    Optional<Duration> timeout,
    int threads,
    Duration orphanTimeout) {
  /** A call may wait for replicas, so there are many more than processors; 256 KiB each. */
  public static final int DEFAULT_THREADS = 32;

  /** A machine reboots in less, and who looks after it comes within it. */
  public static final Duration ORPHAN_TIMEOUT = Duration.ofMinutes(5);

  private static final int MAX_THREADS = 1024;

  private static final int MAX_TIMEOUT_S = 3600;

  /** A day: what waits longer has been forgotten. */
  private static final int MAX_ORPHAN_TIMEOUT_S = 86_400;

  private static final String KNOWN =
      "ro, rw, sync, async, allow_other, only_me, direct_io, page_cache, acl, noacl,"
          + " nosuid, nodev, noexec, timeout=SECONDS, orphan_timeout=SECONDS, threads=N";

  /** What is on or off. */
  public enum Flag {
    READ_ONLY,
    /** Every write is a write with O_SYNC. */
    SYNC,
    /** Other users than the mounting one may enter; permissions are checked as everywhere. */
    ALLOW_OTHER,
    /** Files go past the kernel's page cache: as they do through libfuse, unless told otherwise. */
    DIRECT_IO,
    /**
     * Files go through the kernel's page cache, as they do through the kernel transport. Through
     * libfuse what another mount writes is then seen at the next open only.
     */
    PAGE_CACHE,
    /** POSIX access control lists are kept and checked; through the kernel transport alone. */
    ACL,
    NO_SUID,
    NO_DEVICES,
    NO_EXEC
  }

  public MountOptions {
    flags = Set.copyOf(flags);
  }

  public boolean has(Flag flag) {
    return flags.contains(flag);
  }

  /** The defaults for this process' user: root lets other users in. */
  public static MountOptions defaults(String source) {
    return parse("", source);
  }

  /**
   * Parses {@code ro,timeout=5s,...}. Fails with INVALID, naming the option and those that there
   * are. What mount(8) adds of its own ({@code rw}, {@code defaults}, {@code noauto}, ...) is
   * accepted; access times are never updated by reading.
   */
  public static MountOptions parse(String text, String source) {
    Parser parser = new Parser();
    for (String option : text.split(",", -1)) {
      if (!option.isBlank()) {
        parser.accept(option.strip());
      }
    }
    return new MountOptions(
        parser.flags, source, parser.timeout, parser.threads, parser.orphanTimeout);
  }

  private static final class Parser {
    final Set<Flag> flags = EnumSet.noneOf(Flag.class);
    Optional<Duration> timeout = Optional.empty();
    int threads = DEFAULT_THREADS;
    Duration orphanTimeout = ORPHAN_TIMEOUT;

    Parser() {
      if (Prerequisites.isRoot()) {
        flags.add(Flag.ALLOW_OTHER);
      }
    }

    void accept(String option) {
      int equals = option.indexOf('=');
      String name = equals < 0 ? option : option.substring(0, equals);
      String value = equals < 0 ? "" : option.substring(equals + 1);
      switch (name.toLowerCase(Locale.ROOT)) {
        case "ro" -> flags.add(Flag.READ_ONLY);
        case "rw" -> flags.remove(Flag.READ_ONLY);
        case "sync" -> flags.add(Flag.SYNC);
        case "async" -> flags.remove(Flag.SYNC);
        case "allow_other" -> flags.add(Flag.ALLOW_OTHER);
        case "only_me" -> flags.remove(Flag.ALLOW_OTHER);
        case "direct_io" -> instead(Flag.DIRECT_IO, Flag.PAGE_CACHE);
        case "page_cache" -> instead(Flag.PAGE_CACHE, Flag.DIRECT_IO);
        case "acl" -> flags.add(Flag.ACL);
        case "noacl" -> flags.remove(Flag.ACL);
        case "nosuid" -> flags.add(Flag.NO_SUID);
        case "nodev" -> flags.add(Flag.NO_DEVICES);
        case "noexec" -> flags.add(Flag.NO_EXEC);
        case "timeout" -> timeout = Optional.of(seconds(option, value, MAX_TIMEOUT_S));
        case "orphan_timeout" -> orphanTimeout = seconds(option, value, MAX_ORPHAN_TIMEOUT_S);
        case "threads" -> threads = threads(option, value);
        case "defaults", "noauto", "auto", "_netdev", "nofail", "noatime", "relatime" -> {}
        default -> throw invalid("unknown mount option '" + option + "'; there are: " + KNOWN);
      }
    }

    private void instead(Flag flag, Flag other) {
      flags.add(flag);
      flags.remove(other);
    }

    private static Duration seconds(String option, String value, int most) {
      String digits = value.endsWith("s") ? value.substring(0, value.length() - 1) : value;
      int seconds = number(option, digits);
      if (seconds < 1 || seconds > most) {
        throw invalid("mount option '" + option + "': want 1s to " + most + "s");
      }
      return Duration.ofSeconds(seconds);
    }

    private static int threads(String option, String value) {
      int threads = number(option, value);
      if (threads < 1 || threads > MAX_THREADS) {
        throw invalid("mount option '" + option + "': want 1 to " + MAX_THREADS);
      }
      return threads;
    }

    private static int number(String option, String digits) {
      try {
        return Integer.parseInt(digits);
      } catch (NumberFormatException e) {
        throw invalid("mount option '" + option + "': '" + digits + "' is not a number");
      }
    }

    private static TrefoilException invalid(String message) {
      return new TrefoilException(Reason.INVALID, message);
    }
  }
}
