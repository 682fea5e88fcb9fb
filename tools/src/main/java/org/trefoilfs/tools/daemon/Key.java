package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.tools.http.SocketFile;

/** A setting of a host: an option of {@code host start}, and a key of its configuration file. */
public enum Key {
  DATA(Key::checkText),
  NAME(Key::checkName),
  LISTEN(Key::checkAddress),
  JOIN(Key::checkAddress),
  WITNESS(Key::checkBoolean),
  DOMAIN(Key::checkText),
  WEIGHT(Key::checkWeight),
  HEAP(Key::checkHeap),
  WRITE_MEMORY(Key::checkWriteMemory),
  FAILURE_DETECTION(Key::checkDetection, "detection"),
  GROUPS(Key::checkGroups),
  WRITE_TIMEOUT(Key::checkTimeout, "timeout"),
  CATCH_UP_RATE(Key::checkRate),
  DOCKER_SOCKET(Key::checkSocket),
  DOCKER_MOUNTS(Key::checkDirectory),
  HTTP(Key::checkHttp),
  LOG_FORMAT(Key::checkLogFormat);

  /** In the place of a path or address: what the directory remembers does not hold any more. */
  public static final String NONE = "none";

  /** Of {@link #HTTP}, when none is given. */
  public static final int DEFAULT_HTTP_PORT = 7480;

  /** The other keys' bounds are the cluster's own; a shorter wait than this is no wait. */
  private static final Duration MIN_TIMEOUT = Duration.ofSeconds(1);

  /** A program that waits longer for its disk has been killed by somebody. */
  private static final Duration MAX_TIMEOUT = Duration.ofHours(1);

  /** Bounds of a weight: as {@link HostOptions.Settings} has them. */
  private static final int MAX_WEIGHT = 100;

  /** Of a few hosts, and of a few hundred. */
  private static final int MIN_GROUPS = 64;

  private static final int MAX_GROUPS = 1 << Pools.MAX_BITS;

  /** What fits a column of the status, a file name and a host name alike. */
  private static final Pattern NAME_SYNTAX = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  /** As the JVM's -Xmx takes it. */
  private static final Pattern HEAP_SYNTAX = Pattern.compile("[1-9][0-9]{0,6}[mMgG]");

  private final Consumer<String> check;
  private final List<String> aliases;

  /**
   * @param aliases shorter names, which mean the same
   */
  Key(Consumer<String> check, String... aliases) {
    this.check = check;
    this.aliases = List.of(aliases);
  }

  /** As it is written in a file; the option is the same with two dashes before it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public String option() {
    return "--" + text();
  }

  /** The key whose {@link #option} this is. */
  public static Optional<Key> ofOption(String option) {
    return Arrays.stream(values()).filter(key -> key.option().equals(option)).findFirst();
  }

  void check(String value) {
    try {
      check.accept(value);
    } catch (TrefoilException e) {
      throw new TrefoilException(e.reason(), text() + ": " + e.getMessage(), e);
    }
  }

  public static Optional<Key> ofText(String text) {
    return Arrays.stream(values())
        .filter(key -> key.text().equals(text) || key.aliases.contains(text))
        .findFirst();
  }

  /** All keys, for an error message. */
  public static String list() {
    return Arrays.stream(values()).map(Key::text).collect(Collectors.joining(", "));
  }

  private static void checkText(String value) {
    if (value.isBlank()) {
      throw invalid("it is empty; leave it out or give it a value");
    }
  }

  private static void checkName(String value) {
    if (!NAME_SYNTAX.matcher(value).matches()) {
      throw invalid(
          "'" + value + "' is not a name; use letters, digits, '.', '_' and '-', at most 63");
    }
  }

  private static void checkAddress(String value) {
    Address.parse(value, HostOptions.DEFAULT_PORT);
  }

  private static void checkBoolean(String value) {
    if (!value.equals("true") && !value.equals("false")) {
      throw invalid("'" + value + "' is neither true nor false");
    }
  }

  private static void checkWeight(String value) {
    checkNumber(
        value,
        weight -> weight >= 1 && weight <= MAX_WEIGHT,
        "a weight; give a number from 1 to " + MAX_WEIGHT);
  }

  private static void checkGroups(String value) {
    checkNumber(
        value,
        groups -> groups >= MIN_GROUPS && groups <= MAX_GROUPS && Integer.bitCount(groups) == 1,
        "a number of placement groups; give a power of two from %d to %d"
            .formatted(MIN_GROUPS, MAX_GROUPS));
  }

  private static void checkNumber(String value, IntPredicate holds, String what) {
    String message = "'" + value + "' is not " + what;
    try {
      if (holds.test(Integer.parseInt(value))) {
        return;
      }
    } catch (NumberFormatException e) {
      throw new TrefoilException(Reason.INVALID, message, e);
    }
    throw invalid(message);
  }

  private static void checkDetection(String value) {
    checkBetween(value, ClusterView.MIN_DETECTION, ClusterView.MAX_DETECTION);
  }

  private static void checkTimeout(String value) {
    checkBetween(value, MIN_TIMEOUT, MAX_TIMEOUT);
  }

  private static void checkBetween(String value, Duration least, Duration most) {
    Duration given = Durations.parse(value);
    if (given.compareTo(least) < 0 || given.compareTo(most) > 0) {
      throw invalid(
          "'%s' is outside %d ms to %d s".formatted(value, least.toMillis(), most.toSeconds()));
    }
  }

  private static void checkRate(String value) {
    long rate = Rates.parse(value);
    if (rate != 0 && rate < HostOptions.Settings.MIN_CATCH_UP_RATE) {
      throw invalid("'" + value + "' is below 1 MiB per second; give more, or unlimited");
    }
  }

  private static void checkSocket(String value) {
    if (!value.equals(NONE)) {
      SocketFile.checkName(Path.of(value));
    }
  }

  private static void checkHttp(String value) {
    if (!value.equals(NONE)) {
      Address.parse(value, DEFAULT_HTTP_PORT);
    }
  }

  private static void checkLogFormat(String value) {
    if (Arrays.stream(Logging.Format.values()).noneMatch(format -> format.text().equals(value))) {
      throw invalid("'" + value + "' is no format of a log; give text or json");
    }
  }

  private static void checkDirectory(String value) {
    if (!Path.of(value).isAbsolute()) {
      throw invalid("'" + value + "' is not an absolute path; give one that begins with /");
    }
  }

  private static void checkHeap(String value) {
    if (!HEAP_SYNTAX.matcher(value).matches()) {
      throw invalid("'" + value + "' is not an amount of memory; write it as 512m or 2g");
    }
  }

  private static void checkWriteMemory(String value) {
    checkHeap(value);
    if (bytes(value) < HostOptions.Settings.MIN_WRITE_MEMORY) {
      throw invalid("'" + value + "' is below 32m; give more, or leave it out");
    }
  }

  /** Of an amount of memory that has been checked. */
  static long bytes(String memory) {
    long number = Long.parseLong(memory, 0, memory.length() - 1, 10);
    return number << (Character.toLowerCase(memory.charAt(memory.length() - 1)) == 'g' ? 30 : 20);
  }

  private static TrefoilException invalid(String message) {
    return new TrefoilException(Reason.INVALID, message);
  }
}
