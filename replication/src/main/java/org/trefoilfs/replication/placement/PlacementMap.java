package org.trefoilfs.replication.placement;

import java.util.Collection;
import java.util.Optional;

/** The table of placement groups at one epoch. Immutable. */
public interface PlacementMap {
  /** Grows with every change of any group. */
  long epoch();

  /** log2 of the groups in a pool. */
  int bits();

  Optional<PgView> group(int pg);

  Collection<PgView> groups();
}
