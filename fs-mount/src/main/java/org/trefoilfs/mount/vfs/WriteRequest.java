package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;

/**
 * One write(2).
 *
 * @param data not changed by anyone afterwards
 * @param flags as {@link OpenFlags}, those of the file description at the time of the call
 */
public record WriteRequest(long offset, ByteBuffer data, int flags, Caller caller) {
  boolean append() {
    return OpenFlags.has(flags, OpenFlags.APPEND);
  }

  boolean dataSync() {
    return OpenFlags.has(flags, OpenFlags.DATA_SYNC);
  }
}
