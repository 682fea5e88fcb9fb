package org.trefoilfs.mount.fuse.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The system calls that the transport makes. Each gives its result, or minus errno: what the kernel
 * itself returns. {@code state} is native memory of {@link #STATE} bytes, used by one call at a
 * time, in which errno is kept before the virtual machine can change it.
 */
final class Native {
  static final StructLayout STATE_LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /** Bytes of {@code state}. */
  static final long STATE = STATE_LAYOUT.byteSize();

  /** O_RDWR and O_CLOEXEC of asm-generic/fcntl.h. */
  private static final int READ_WRITE_CLOSE_ON_EXEC = 02 | 02000000;

  private static final MethodHandle OPEN =
      function(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle MOUNT =
      function(
          "mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle READ =
      function("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle WRITEV =
      function("writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle CLOSE =
      function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private Native() {}

  /** A function of libc that sets errno. */
  static MethodHandle function(String name, FunctionDescriptor shape, Linker.Option... more) {
    Linker linker = Linker.nativeLinker();
    Linker.Option[] options = new Linker.Option[more.length + 1];
    System.arraycopy(more, 0, options, 1, more.length);
    options[0] = Linker.Option.captureCallState("errno");
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), shape, options);
  }

  /** open(2) for reading and writing; the descriptor. */
  static int open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE_LAYOUT);
      int result =
          (int) OPEN.invokeExact(state, arena.allocateFrom(path), READ_WRITE_CLOSE_ON_EXEC);
      return (int) resultOr(result, state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** mount(2); {@code flags} are MS_* of linux/mount.h. */
  static int mount(String source, String target, String type, long flags, String data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE_LAYOUT);
      int result =
          (int)
              MOUNT.invokeExact(
                  state,
                  arena.allocateFrom(source),
                  arena.allocateFrom(target),
                  arena.allocateFrom(type),
                  flags,
                  arena.allocateFrom(data));
      return (int) resultOr(result, state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** read(2); how many bytes. */
  static long read(int descriptor, MemorySegment into, MemorySegment state) {
    try {
      return resultOr((long) READ.invokeExact(state, descriptor, into, into.byteSize()), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** writev(2) of so many {@code struct iovec}; how many bytes. */
  static long writev(int descriptor, MemorySegment vectors, int count, MemorySegment state) {
    try {
      return resultOr((long) WRITEV.invokeExact(state, descriptor, vectors, count), state);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static void close(int descriptor) {
    try (Arena arena = Arena.ofConfined()) {
      // Linux gives the descriptor back whatever the result.
      int unused = (int) CLOSE.invokeExact(arena.allocate(STATE_LAYOUT), descriptor);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static long resultOr(long result, MemorySegment state) {
    return result >= 0 ? result : -(int) ERRNO.get(state, 0L);
  }

  /** A downcall throws nothing of its own; what comes out is a defect of ours. */
  static RuntimeException impossible(Throwable e) {
    return switch (e) {
      case RuntimeException known -> known;
      case Error error -> throw error;
      default -> new IllegalStateException(e);
    };
  }
}
