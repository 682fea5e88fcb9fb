package org.trefoilfs.replication.host;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;

/**
 * Which operations were committed lately, so that a retry is answered and not applied again. One
 * table serves all groups of a host: a client retries within seconds, and at a few thousand writes
 * a second the bound covers more. What it knows of a group goes to those who join it, and into the
 * journal at each checkpoint.
 */
final class RecentOperations {
  static final int MAX_OPERATIONS = 1 << 16;

  /** Of an operation that is known to be committed, and no more. */
  private static final Version EARLIER = new Version(0, 1);

  private record Committed(int pg, Version version) {}

  private final Map<Integer, Set<OperationId>> ofGroup = new HashMap<>();
  private final Map<OperationId, Committed> operations =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<OperationId, Committed> eldest) {
          boolean full = size() > MAX_OPERATIONS;
          if (full) {
            group(eldest.getValue().pg()).remove(eldest.getKey());
          }
          return full;
        }
      };

  synchronized void committed(int pg, OperationId operation, Version version) {
    if (!operation.equals(OperationId.NONE)) {
      operations.put(operation, new Committed(pg, version));
      group(pg).add(operation);
    }
  }

  /** Another host, or an earlier process, knows these to be committed. */
  synchronized void committedEarlier(int pg, Collection<OperationId> known) {
    unknown(known).forEach(operation -> committed(pg, operation, EARLIER));
  }

  /** Those of them that are not known here to be committed. */
  synchronized List<OperationId> unknown(Collection<OperationId> others) {
    return others.stream().filter(operation -> !operations.containsKey(operation)).toList();
  }

  /** The group begins anew here: what it had committed may not be what its primary has. */
  synchronized void forget(int pg) {
    Set<OperationId> forgotten = ofGroup.remove(pg);
    if (forgotten != null) {
      operations.keySet().removeAll(forgotten);
    }
  }

  synchronized Version version(OperationId operation) {
    Committed committed = operations.get(operation);
    return committed == null ? Version.NONE : committed.version();
  }

  /** What is known of a group, oldest first. */
  synchronized List<OperationId> ofGroup(int pg) {
    return List.copyOf(ofGroup.getOrDefault(pg, Set.of()));
  }

  private Set<OperationId> group(int pg) {
    return ofGroup.computeIfAbsent(pg, _ -> new LinkedHashSet<>());
  }
}
