package org.trefoilfs.replication.host;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterView;

/**
 * How a host is started.
 *
 * @param data its directory: identity, journal, chunks, state log
 * @param name by default the machine's host name
 * @param listen by default {@link #DEFAULT_PORT} on the address that faces the other hosts; the
 *     state log's own port is the next one
 * @param join any host of the cluster to join; empty starts a cluster of its own
 */
public record HostOptions(
    Path data,
    Optional<String> name,
    Optional<Address> listen,
    Optional<Address> join,
    Settings settings) {
  public static final int DEFAULT_PORT = 7440;

  /**
   * A call that is given up before a lost host is replaced would make every loss an error. INVALID
   * when it would be.
   */
  public static void checkPatience(Duration timeout, Duration detection) {
    if (timeout.compareTo(detection.multipliedBy(2)) < 0) {
      throw new TrefoilException(
          Reason.INVALID,
          "a write timeout of %d ms is less than twice the failure detection of %d ms; give --write-timeout %dms or more"
              .formatted(timeout.toMillis(), detection.toMillis(), 2 * detection.toMillis()));
    }
  }

  /**
   * @param witness votes, stores no chunks
   * @param domain failure domain; by default the host's name
   * @param weight relative share of chunks, 1 to 100
   * @param detection a host that has not been heard of for so long is down (T of DESIGN 5; its own
   *     lease is half). Every host of a cluster has the same: its first one says it, by default
   *     {@link ClusterView#DEFAULT_DETECTION}, and empty takes the cluster's
   * @param groups placement groups in a pool, a power of two; of the cluster that this host founds,
   *     by default 2^{@link ClusterView#DEFAULT_BITS}, and never changed
   * @param timeout how long a call waits for replicas or a leader before it fails
   * @param writeMemory bytes that the data of writes may take in memory until it is stored, {@link
   *     #MIN_WRITE_MEMORY} or more; by default three eighths of the heap
   * @param catchUpRate bytes per second that this host fetches at most while it catches up, {@link
   *     #MIN_CATCH_UP_RATE} or more; 0: no limit
   */
  public record Settings(
      boolean witness,
      Optional<String> domain,
      int weight,
      Optional<Duration> detection,
      Optional<Integer> groups,
      Duration timeout,
      Optional<Long> writeMemory,
      long catchUpRate) {
    /** A quarter of it then takes a chunk twice: as it is received, and as it is put together. */
    public static final long MIN_WRITE_MEMORY = 32L << 20;

    /** A whole chunk then takes four seconds; any slower, and catching up would take weeks. */
    public static final long MIN_CATCH_UP_RATE = 1L << 20;

    /** Leaves room on a link of 1 Gbit/s, and takes a large disk three hours for each TiB. */
    public static final long DEFAULT_CATCH_UP_RATE = 100L << 20;

    public static final Settings DEFAULT =
        new Settings(
            false,
            Optional.empty(),
            1,
            Optional.empty(),
            Optional.empty(),
            Duration.ofSeconds(30),
            Optional.empty(),
            DEFAULT_CATCH_UP_RATE);

    /** Of the cluster that this host founds. */
    int groupBits() {
      return groups.map(Integer::numberOfTrailingZeros).orElse(ClusterView.DEFAULT_BITS);
    }
  }
}
