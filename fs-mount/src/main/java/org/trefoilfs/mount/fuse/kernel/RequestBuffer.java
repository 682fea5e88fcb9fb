package org.trefoilfs.mount.fuse.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Page-aligned native memory for one request; freed when nothing refers to it any more. */
final class RequestBuffer {
  /** Bytes of the largest READ or WRITE: 256 pages, as many as Linux gives a request by default. */
  static final int MAX_IO = 1 << 20;

  static final int PAGE = 4096;

  /** The kernel wants room for the headers beside the largest WRITE; names and xattrs are less. */
  private static final int SIZE = MAX_IO + 2 * PAGE;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment memory = arena.allocate(SIZE, PAGE);
  private final MemorySegment state = arena.allocate(Native.STATE, Long.BYTES);

  MemorySegment memory() {
    return memory;
  }

  MemorySegment state() {
    return state;
  }

  /** The first so many bytes, shared. */
  ByteBuffer first(int length) {
    return memory.asSlice(0, length).asByteBuffer();
  }
}
