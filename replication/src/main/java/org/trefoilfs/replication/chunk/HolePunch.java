package org.trefoilfs.replication.chunk;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a range of a file back to the filesystem: fallocate(2) through the FFM API, on a descriptor
 * of its own, since the JDK does not show the one in a {@code FileChannel}.
 */
final class HolePunch {
  private static final Logger LOG = LoggerFactory.getLogger(HolePunch.class);

  /** FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE of linux/falloc.h. */
  private static final int PUNCH_KEEP_SIZE = 0x02 | 0x01;

  /** O_RDWR | O_CLOEXEC, the same on x86-64 and aarch64. */
  private static final int OPEN_FLAGS = 0x2 | 0x80000;

  private static final Optional<HolePunch> NATIVE = link();
  private final MethodHandle open;
  private final MethodHandle fallocate;
  private final MethodHandle close;

  private HolePunch(Linker linker) {
    ValueLayout.OfInt i32 = ValueLayout.JAVA_INT;
    ValueLayout.OfLong i64 = ValueLayout.JAVA_LONG;
    open =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(i32, ValueLayout.ADDRESS, i32),
            Linker.Option.firstVariadicArg(2));
    fallocate =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("fallocate"),
            FunctionDescriptor.of(i32, i32, i32, i64, i64));
    close =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("close"), FunctionDescriptor.of(i32, i32));
  }

  /** False when it could not be done: the caller then writes zeros. */
  static boolean punch(Path file, long offset, long length) {
    return NATIVE.isPresent() && NATIVE.get().call(file, offset, length);
  }

  private boolean call(Path file, long offset, long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file.toString());
      int descriptor = (int) open.invokeExact(path, OPEN_FLAGS);
      if (descriptor < 0) {
        return false;
      }
      try {
        return (int) fallocate.invokeExact(descriptor, PUNCH_KEEP_SIZE, offset, length) == 0;
      } finally {
        int ignored = (int) close.invokeExact(descriptor);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("fallocate could not be called", e);
    }
  }

  private static Optional<HolePunch> link() {
    try {
      return Optional.of(new HolePunch(Linker.nativeLinker()));
    } catch (RuntimeException | LinkageError e) {
      LOG.warn("no fallocate on this system ({}); punched ranges keep their space", e.toString());
      return Optional.empty();
    }
  }
}
