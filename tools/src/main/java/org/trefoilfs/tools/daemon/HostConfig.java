package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;

/**
 * What {@code host start} takes, by {@link Key}, as text that has been checked. Sources are laid
 * over each other: command line over configuration file over what the directory remembers.
 */
public final class HostConfig {
  /** Default of {@link Key#HEAP}. */
  public static final String DEFAULT_HEAP = "512m";

  private final Map<Key, String> values;

  private HostConfig(Map<Key, String> values) {
    this.values = values;
  }

  public static HostConfig empty() {
    return new HostConfig(new EnumMap<>(Key.class));
  }

  /** INVALID when the value is not one of the key's. */
  public HostConfig with(Key key, String value) {
    key.check(value);
    EnumMap<Key, String> changed = new EnumMap<>(Key.class);
    changed.putAll(values);
    changed.put(key, value);
    return new HostConfig(changed);
  }

  /** This one's values, and the other's where this one has none. */
  public HostConfig over(HostConfig weaker) {
    EnumMap<Key, String> merged = new EnumMap<>(Key.class);
    merged.putAll(weaker.values);
    merged.putAll(values);
    return new HostConfig(merged);
  }

  public HostConfig without(Key key) {
    EnumMap<Key, String> fewer = new EnumMap<>(Key.class);
    fewer.putAll(values);
    fewer.remove(key);
    return new HostConfig(fewer);
  }

  public Optional<String> get(Key key) {
    return Optional.ofNullable(values.get(key));
  }

  public Map<Key, String> values() {
    return Map.copyOf(values);
  }

  public Path data() {
    return get(Key.DATA)
        .map(text -> Path.of(text).toAbsolutePath().normalize())
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.INVALID,
                    "host start: no data directory was given; add --data DIR, or 'data:' to the"
                        + " configuration file"));
  }

  /** Where Docker engines ask for volumes, if they do. */
  public Optional<Path> dockerSocket() {
    return get(Key.DOCKER_SOCKET).filter(text -> !text.equals(Key.NONE)).map(Path::of);
  }

  /** Under which volumes are mounted for containers. */
  public Path dockerMounts() {
    return get(Key.DOCKER_MOUNTS)
        .map(text -> Path.of(text).normalize())
        .orElseGet(() -> data().resolve("docker"));
  }

  /** Where those who watch this host ask, if they may. */
  public Optional<Address> http() {
    return get(Key.HTTP)
        .filter(text -> !text.equals(Key.NONE))
        .map(text -> Address.parse(text, Key.DEFAULT_HTTP_PORT));
  }

  public Logging.Format logFormat() {
    return get(Key.LOG_FORMAT).map(Logging.Format::of).orElse(Logging.Format.TEXT);
  }

  public String heap() {
    return get(Key.HEAP).orElse(DEFAULT_HEAP);
  }

  public HostOptions toOptions() {
    HostOptions.Settings defaults = HostOptions.Settings.DEFAULT;
    Optional<Duration> detection = get(Key.FAILURE_DETECTION).map(Durations::parse);
    Duration timeout = get(Key.WRITE_TIMEOUT).map(Durations::parse).orElse(defaults.timeout());
    if (get(Key.GROUPS).isPresent() && get(Key.JOIN).isPresent()) {
      throw new TrefoilException(
          Reason.INVALID,
          "host start: a host that joins takes the cluster's placement groups; leave out --groups");
    }
    get(Key.WRITE_MEMORY).ifPresent(this::checkFitsHeap);
    // The cluster's, when none is given, is known to the host alone.
    detection.ifPresent(given -> HostOptions.checkPatience(timeout, given));
    return new HostOptions(
        data(),
        get(Key.NAME),
        get(Key.LISTEN).map(text -> Address.parse(text, HostOptions.DEFAULT_PORT)),
        get(Key.JOIN).map(text -> Address.parse(text, HostOptions.DEFAULT_PORT)),
        new HostOptions.Settings(
            get(Key.WITNESS).map(Boolean::parseBoolean).orElse(defaults.witness()),
            get(Key.DOMAIN),
            get(Key.WEIGHT).map(Integer::parseInt).orElse(defaults.weight()),
            detection,
            get(Key.GROUPS).map(Integer::parseInt),
            timeout,
            get(Key.WRITE_MEMORY).map(Key::bytes),
            get(Key.CATCH_UP_RATE).map(Rates::parse).orElse(defaults.catchUpRate())));
  }

  private void checkFitsHeap(String writeMemory) {
    if (Key.bytes(writeMemory) > Key.bytes(heap()) / 2) {
      throw new TrefoilException(
          Reason.INVALID,
          "host start: %s for the data of writes is more than half of the heap of %s; give less with --write-memory, or more with --heap"
              .formatted(writeMemory, heap()));
    }
  }
}
