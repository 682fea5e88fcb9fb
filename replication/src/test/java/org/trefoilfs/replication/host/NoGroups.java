package org.trefoilfs.replication.host;

import java.util.function.IntToLongFunction;

/** For an applier whose journal is never released. */
record NoGroups(IntToLongFunction commits) implements Applier.Groups {
  @Override
  public long journalCommitted(int pg) {
    return commits.applyAsLong(pg);
  }

  @Override
  public void imageJournaled(int pg, long position) {}
}
