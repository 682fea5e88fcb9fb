package org.trefoilfs.replication.chunk;

import java.util.Map;

/**
 * What {@link StoreCheck} found.
 *
 * @param bytes of allocated blocks
 * @param damaged chunks that do not match their checksums, and files that are no chunks
 * @param digest of all chunks' names and content, whatever their versions: hosts that hold the same
 *     groups have the same
 * @param digestOfGroup the same for each placement group; {@code digest} is their sum
 */
public record CheckReport(
    long chunks, long bytes, long damaged, long digest, Map<Integer, Long> digestOfGroup) {
  public CheckReport {
    digestOfGroup = Map.copyOf(digestOfGroup);
  }
}
