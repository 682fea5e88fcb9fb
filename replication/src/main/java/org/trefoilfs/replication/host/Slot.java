package org.trefoilfs.replication.host;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.heal.History;

/**
 * A placement group at this host, its lock (the slot itself), its history, and its catch-up while
 * it joins.
 */
final class Slot {
  final int pg;
  final Group group;
  final History history;
  @Nullable CatchUp catchUp;

  /** Grows with each start of a catch-up: an older one that still runs must stop. */
  long catchUpRun;

  // What the memory counts of this group.
  long countedBytes;
  boolean countedAsOwn;
  long countedAside;

  Slot(int pg, Group group, History history) {
    this.pg = pg;
    this.group = group;
    this.history = history;
  }
}
