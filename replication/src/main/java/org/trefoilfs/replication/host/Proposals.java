package org.trefoilfs.replication.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.placement.PgView;

/**
 * View changes that primaries of this host want, gathered into few log entries: a host that returns
 * is promoted in thousands of groups at once. A change that is lost is proposed again by its
 * primary.
 */
final class Proposals {
  private static final Logger log = LoggerFactory.getLogger(Proposals.class);

  private final ClusterClient cluster;
  private final Map<Integer, PgView> waiting = new HashMap<>();
  private boolean underWay;

  Proposals(ClusterClient cluster) {
    this.cluster = cluster;
  }

  void add(PgView next) {
    synchronized (this) {
      waiting.put(next.pg(), next);
    }
  }

  /** Submits what has gathered, one batch at a time. Called by the host's timer. */
  void flush() {
    List<ClusterCommand.Change> batch = new ArrayList<>();
    synchronized (this) {
      if (underWay || waiting.isEmpty()) {
        return;
      }
      var iterator = waiting.values().iterator();
      while (iterator.hasNext() && batch.size() < ClusterCommand.MAX_GROUPS) {
        PgView next = iterator.next();
        iterator.remove();
        batch.add(new ClusterCommand.Change(next.view() - 1, next));
      }
      underWay = true;
    }
    cluster
        .changeViews(batch)
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                log.info(
                    "{} view changes were not accepted: {}", batch.size(), failure.getMessage());
              }
              synchronized (this) {
                underWay = false;
              }
            });
  }
}
