package org.trefoilfs.tools.library;

import java.util.List;
import org.trefoilfs.replication.spool.SpooledWrite;

/**
 * The spool of an evicted mount, as this host keeps it.
 *
 * @param id the mount's session, 16 hexadecimal digits
 * @param writes in their order; none of them is in the volume, or none is known to be
 */
public record LostSpoolFiles(
    String id, String volume, String mountPoint, List<SpooledWrite> writes) {
  public LostSpoolFiles {
    writes = List.copyOf(writes);
  }
}
