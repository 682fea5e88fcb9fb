package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.placement.PlacementTable;

/** The view and what only the state machine needs: the numbers to give out next. */
record ClusterState(ClusterView view, PlacementTable table, int nextHost, int nextVolume) {
  static final ClusterState EMPTY =
      new ClusterState(
          ClusterView.empty(), PlacementTable.empty(0, ClusterView.DEFAULT_BITS), 1, 1);

  long epoch() {
    return table.epoch();
  }
}
