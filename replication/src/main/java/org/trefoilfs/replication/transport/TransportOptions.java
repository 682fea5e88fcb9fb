package org.trefoilfs.replication.transport;

import java.time.Duration;

/**
 * How connections behave.
 *
 * @param connectTimeout until a peer that does not answer is unavailable, handshake included
 * @param backoff after a failed attempt calls fail at once for so long, with its reason
 * @param silence a connection on which answers are due is asked for a sign of life after so long
 *     without any byte, and given up after three times as long. TCP alone would retransmit for a
 *     quarter of an hour, and after a healed partition wait for up to two minutes
 */
public record TransportOptions(
    Compression compression,
    Duration connectTimeout,
    Duration backoff,
    Duration silence,
    Limits limits) {
  public static final TransportOptions DEFAULT =
      new TransportOptions(
          Compression.REMOTE_PEERS,
          Duration.ofSeconds(1),
          Duration.ofMillis(200),
          Duration.ofSeconds(2),
          Limits.DEFAULT);

  /** Whose large frames are compressed. */
  public enum Compression {
    OFF,
    /** Not those of this machine: over loopback it only costs processor time. */
    REMOTE_PEERS,
    EVERY_PEER
  }

  /**
   * What one connection may hold.
   *
   * @param requests sent and not answered. The caller's next one fails with UNAVAILABLE; a server
   *     stops reading
   * @param queuedBytes waiting to be written. The caller's next request fails with UNAVAILABLE; a
   *     server, which stopped reading long before, closes the connection
   */
  public record Limits(int requests, long queuedBytes) {
    /** Deeper queues add latency, not throughput; the bytes are some seconds of a 1 Gb/s link. */
    public static final Limits DEFAULT = new Limits(8192, 64L << 20);
  }

  public TransportOptions withCompression(Compression compression) {
    return new TransportOptions(compression, connectTimeout, backoff, silence, limits);
  }

  public TransportOptions withConnectTimeout(Duration connectTimeout) {
    return new TransportOptions(compression, connectTimeout, backoff, silence, limits);
  }

  public TransportOptions withSilence(Duration silence) {
    return new TransportOptions(compression, connectTimeout, backoff, silence, limits);
  }

  public TransportOptions withLimits(Limits limits) {
    return new TransportOptions(compression, connectTimeout, backoff, silence, limits);
  }
}
