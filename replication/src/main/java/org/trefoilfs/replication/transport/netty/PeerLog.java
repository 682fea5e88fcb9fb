package org.trefoilfs.replication.transport.netty;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once in a while per peer what it did wrong: a broken peer must not fill the disk. */
final class PeerLog {
  private static final Logger log = LoggerFactory.getLogger(PeerLog.class);
  private static final Duration ONCE_PER = Duration.ofSeconds(10);

  /** Peers that are remembered; beyond it one may be logged more often. */
  private static final int PEERS_MAX = 1024;

  private final Cache<String, Boolean> lately =
      Caffeine.newBuilder().maximumSize(PEERS_MAX).expireAfterWrite(ONCE_PER).build();

  void warn(String peer, String what, String why) {
    if (lately.asMap().putIfAbsent(peer, true) == null) {
      log.warn("{} {}: {} (said at most once in {} s)", what, peer, why, ONCE_PER.toSeconds());
    }
  }
}
