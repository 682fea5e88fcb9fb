package org.trefoilfs.mount.fuse.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** An open /dev/fuse. A reply is one writev(2): the header, and the body from where it lies. */
final class FuseDevice implements Device {
  /** Replies of which the memory is kept; further ones at the same time allocate theirs. */
  private static final int KEPT = 16;

  /** FUSE_NOTIFY_RESEND of linux/fuse.h; a notification has it where a reply has its errno. */
  private static final int NOTIFY_RESEND = 7;

  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final int descriptor;
  private volatile boolean silent;
  private final BlockingQueue<Scratch> idle = new ArrayBlockingQueue<>(KEPT);

  FuseDevice(int descriptor) {
    this.descriptor = descriptor;
  }

  @Override
  public int read(RequestBuffer into) {
    return (int) Native.read(descriptor, into.memory(), into.state());
  }

  @Override
  public int reply(long unique, int error, ByteBuffer body) {
    if (silent) {
      return 0;
    }
    Scratch kept = idle.poll();
    Scratch scratch = kept == null ? new Scratch() : kept;
    int vectors = scratch.lay(unique, error, body);
    long result = Native.writev(descriptor, scratch.vectors, vectors, scratch.state);
    // Until here the memory was named by addresses alone.
    Reference.reachabilityFence(body);
    Reference.reachabilityFence(scratch);
    idle.offer(scratch);
    return result < 0 ? (int) -result : 0;
  }

  @Override
  public int notify(int code, ByteBuffer body) {
    return reply(0, -code, body);
  }

  @Override
  public int resend() {
    return reply(0, -NOTIFY_RESEND, EMPTY);
  }

  @Override
  public void silence() {
    silent = true;
  }

  @Override
  public void close() {
    Native.close(descriptor);
  }

  /**
   * Native memory of one reply.
   *
   * <pre>
   * vectors: two struct iovec    address u64, length u64
   * header:  struct fuse_out_header    u32 len, s32 error, u64 unique
   * copy:    the body, if it lies in the heap, where the kernel cannot take it from
   * </pre>
   */
  private static final class Scratch {
    private static final int HEADER = 16;
    private static final int VECTOR = 16;

    final Arena arena = Arena.ofAuto();
    final MemorySegment state = arena.allocate(Native.STATE, Long.BYTES);
    final MemorySegment vectors = arena.allocate(2 * VECTOR, Long.BYTES);
    final MemorySegment header = arena.allocate(HEADER, Long.BYTES);
    MemorySegment copy = MemorySegment.NULL;

    /** How many vectors there are to write. */
    int lay(long unique, int error, ByteBuffer body) {
      int length = body.remaining();
      header.set(ValueLayout.JAVA_INT, 0, HEADER + length);
      header.set(ValueLayout.JAVA_INT, 4, -error);
      header.set(ValueLayout.JAVA_LONG, 8, unique);
      vector(0, header, HEADER);
      if (length == 0) {
        return 1;
      }
      vector(1, body.isDirect() ? MemorySegment.ofBuffer(body) : copied(body), length);
      return 2;
    }

    private void vector(int number, MemorySegment of, int length) {
      vectors.set(ValueLayout.JAVA_LONG, (long) number * VECTOR, of.address());
      vectors.set(ValueLayout.JAVA_LONG, (long) number * VECTOR + 8, length);
    }

    private MemorySegment copied(ByteBuffer body) {
      int length = body.remaining();
      if (copy.byteSize() < length) {
        int size = length <= RequestBuffer.PAGE ? RequestBuffer.PAGE : RequestBuffer.MAX_IO;
        copy = Arena.ofAuto().allocate(Math.max(size, length), RequestBuffer.PAGE);
      }
      return copy.copyFrom(MemorySegment.ofBuffer(body));
    }
  }
}
