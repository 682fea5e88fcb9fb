package org.trefoilfs.replication.host;

import java.util.LinkedHashMap;
import java.util.Map;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;

/**
 * Which operations were committed lately, so that a retry is answered and not applied again. One
 * table serves all groups of a host: a client retries within seconds, and at a few thousand writes
 * a second the bound covers more.
 */
final class RecentOperations {
  static final int MAX_OPERATIONS = 1 << 16;

  private final Map<OperationId, Version> versions =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<OperationId, Version> eldest) {
          return size() > MAX_OPERATIONS;
        }
      };

  synchronized void committed(OperationId operation, Version version) {
    if (!operation.equals(OperationId.NONE)) {
      versions.put(operation, version);
    }
  }

  synchronized Version version(OperationId operation) {
    return versions.getOrDefault(operation, Version.NONE);
  }
}
