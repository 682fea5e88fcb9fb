package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;

/**
 * One write(2).
 *
 * @param data not changed by anyone afterwards
 * @param flags as {@link OpenFlags}, those of the file description at the time of the call
 * @param fromPages whether the kernel writes pages back that processes have stored into through a
 *     mapping
 */
public record WriteRequest(
    long offset, ByteBuffer data, int flags, Caller caller, boolean fromPages) {
  public WriteRequest(long offset, ByteBuffer data, int flags, Caller caller) {
    this(offset, data, flags, caller, false);
  }

  /** The same with more flags. */
  public WriteRequest with(int more) {
    return new WriteRequest(offset, data, flags | more, caller, fromPages);
  }

  WriteRequest first(int length) {
    return new WriteRequest(offset, data.slice(data.position(), length), flags, caller, fromPages);
  }

  boolean append() {
    return OpenFlags.has(flags, OpenFlags.APPEND);
  }

  boolean dataSync() {
    return OpenFlags.has(flags, OpenFlags.DATA_SYNC);
  }
}
