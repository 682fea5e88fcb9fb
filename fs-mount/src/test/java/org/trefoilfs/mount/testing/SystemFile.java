package org.trefoilfs.mount.testing;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An open file, with the system calls of Linux that Java has no name for. */
public final class SystemFile implements AutoCloseable {
  public static final int READ_WRITE = 2;
  public static final int CREATE = 0100;
  public static final int EXCLUSIVE = 0200;
  public static final int APPEND = 02000;
  public static final int DIRECTORY = 0200000;
  public static final int TMPFILE = 020000000 | DIRECTORY;

  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  /** FALLOC_FL_* of linux/falloc.h. */
  public static final int KEEP_SIZE = 0x01;

  public static final int PUNCH_HOLE = 0x02;
  public static final int COLLAPSE_RANGE = 0x08;
  public static final int ZERO_RANGE = 0x10;
  public static final int INSERT_RANGE = 0x20;

  private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG;
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle OPEN =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("open"),
              FunctionDescriptor.of(I32, ValueLayout.ADDRESS, I32, I32),
              Linker.Option.firstVariadicArg(2),
              Linker.Option.captureCallState("errno"));
  private static final MethodHandle CLOSE = call("close", I32, I32);
  private static final MethodHandle LSEEK = call("lseek", I64, I32, I64, I32);
  private static final MethodHandle FALLOCATE = call("fallocate", I32, I32, I32, I64, I64);
  private static final MethodHandle COPY =
      call("copy_file_range", I64, I32, ValueLayout.ADDRESS, I32, ValueLayout.ADDRESS, I64, I32);
  private static final MethodHandle STATX =
      call("statx", I32, I32, ValueLayout.ADDRESS, I32, I32, ValueLayout.ADDRESS);

  private final int descriptor;

  /** A call that failed, with its errno. */
  public static final class Failure extends IOException {
    private static final long serialVersionUID = 1;
    private final int errno;

    Failure(String what, int errno) {
      super(what + ": errno " + errno);
      this.errno = errno;
    }

    public int errno() {
      return errno;
    }
  }

  private SystemFile(int descriptor) {
    this.descriptor = descriptor;
  }

  public static SystemFile open(Path path, int flags) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment name = arena.allocateFrom(path.toString());
      int descriptor = (int) OPEN.invokeExact(state, name, flags, 0644);
      return new SystemFile((int) checked("open " + path, descriptor, state));
    } catch (Failure e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  public long seek(long offset, int whence) throws Failure {
    return run(
        "lseek " + offset,
        (arena, state) -> (long) LSEEK.invokeExact(state, descriptor, offset, whence));
  }

  public void allocate(int mode, long offset, long length) throws Failure {
    run(
        "fallocate " + mode,
        (arena, state) -> (int) FALLOCATE.invokeExact(state, descriptor, mode, offset, length));
  }

  /** Copies from this file; how many bytes that were. */
  public long copy(long from, SystemFile to, long at, long length) throws Failure {
    return run(
        "copy_file_range",
        (arena, state) ->
            (long)
                COPY.invokeExact(
                    state,
                    descriptor,
                    arena.allocateFrom(I64, from),
                    to.descriptor,
                    arena.allocateFrom(I64, at),
                    length,
                    0));
  }

  /** As {@link #copy}, again and again until all is copied or the source ends. */
  public long copyAll(long from, SystemFile to, long at, long length) throws Failure {
    long copied = 0;
    while (copied < length) {
      long count = copy(from + copied, to, at + copied, length - copied);
      if (count == 0) {
        break;
      }
      copied += count;
    }
    return copied;
  }

  /** Sectors of 512 bytes that are allocated: {@code st_blocks}. */
  public long sectors() throws Failure {
    long[] sectors = new long[1];
    run(
        "statx",
        (arena, state) -> {
          MemorySegment stat = arena.allocate(256);
          int emptyPath = 0x1000;
          int done =
              (int)
                  STATX.invokeExact(
                      state, descriptor, arena.allocateFrom(""), emptyPath, 0x7ff, stat);
          sectors[0] = stat.get(I64, 48);
          return done;
        });
    return sectors[0];
  }

  /** Where data and holes begin, in turn, up to the size: {@code "d0 h4096 "}. */
  public String map(long size) throws Failure {
    List<String> map = new ArrayList<>();
    long at = 0;
    try {
      while (at < size) {
        long data = seek(at, SEEK_DATA);
        map.add("d" + data);
        at = seek(data, SEEK_HOLE);
        map.add("h" + at);
      }
    } catch (Failure e) {
      if (e.errno() != 6) {
        throw e;
      }
    }
    return String.join(" ", map);
  }

  @Override
  public void close() throws Failure {
    run("close", (arena, state) -> (int) CLOSE.invokeExact(state, descriptor));
  }

  private interface Call {
    long in(Arena arena, MemorySegment state) throws Throwable;
  }

  private static long run(String what, Call call) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      return checked(what, call.in(arena, state), state);
    } catch (Failure e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static long checked(String what, long result, MemorySegment state) throws Failure {
    if (result < 0) {
      throw new Failure(what, (int) ERRNO.get(state, 0L));
    }
    return result;
  }

  private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }
}
