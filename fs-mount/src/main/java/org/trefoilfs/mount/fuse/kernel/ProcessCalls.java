package org.trefoilfs.mount.fuse.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The system calls on processes and on their descriptors; results as of {@link Native}. Numbers are
 * those of x86-64 and arm64, which agree (include/uapi/asm-generic/unistd.h): glibc 2.36 is the
 * first with functions for them.
 */
final class ProcessCalls {
  private static final long PIDFD_SEND_SIGNAL = 424;
  private static final long PIDFD_OPEN = 434;
  private static final long PIDFD_GETFD = 438;

  /** Of linux/pidfd.h; Linux 6.9, as mounts that are kept need. */
  private static final long PIDFD_SIGNAL_PROCESS_GROUP = 1 << 2;

  private static final int SIGKILL = 9;

  /** MFD_CLOEXEC of linux/memfd.h. */
  private static final int MEMFD_CLOSE_ON_EXEC = 1;

  /** O_CLOEXEC of asm-generic/fcntl.h. */
  private static final int CLOSE_ON_EXEC = 02000000;

  /** POLLERR of asm-generic/poll.h: of a /dev/fuse of which the connection was aborted. */
  private static final short POLL_ERROR = 8;

  private static final MethodHandle SYSCALL =
      Native.function(
          "syscall",
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.firstVariadicArg(1));
  private static final MethodHandle MEMFD_CREATE =
      Native.function("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle PIPE2 =
      Native.function("pipe2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle WAITPID =
      Native.function("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle POLL =
      Native.function("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

  private ProcessCalls() {}

  /** A descriptor of the process: the same one whatever becomes of its number. */
  static int open(long pid) {
    return (int) syscall(PIDFD_OPEN, pid, 0, 0);
  }

  /** A descriptor of another process', as one of this process'; closed on exec. */
  static int descriptorOf(int process, int descriptor) {
    return (int) syscall(PIDFD_GETFD, process, descriptor, 0);
  }

  /** The process, and those that it has started in its group. */
  static void killGroup(int process) {
    syscall(PIDFD_SEND_SIGNAL, process, SIGKILL, 0, PIDFD_SIGNAL_PROCESS_GROUP);
  }

  private static long syscall(long number, long first, long second, long third) {
    return syscall(number, first, second, third, 0);
  }

  private static long syscall(long number, long first, long second, long third, long fourth) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      long result = (long) SYSCALL.invokeExact(state, number, first, second, third, fourth);
      return Native.resultOr(result, state);
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  /** Memory without a name that lasts as long as a descriptor or a mapping of it. */
  static int memory(String shownAs) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      int result =
          (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(shownAs), MEMFD_CLOSE_ON_EXEC);
      return (int) Native.resultOr(result, state);
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  /** Two ends. */
  record Pipe(int reading, int writing) {}

  /** Closed on exec; null when there are too many descriptors. */
  static Pipe pipe() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      int result = (int) PIPE2.invokeExact(state, ends, CLOSE_ON_EXEC);
      if (result < 0) {
        throw new IllegalStateException("pipe2: errno " + -Native.resultOr(result, state));
      }
      return new Pipe(ends.getAtIndex(JAVA_INT, 0), ends.getAtIndex(JAVA_INT, 1));
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  /** Takes what is left of an ended child out of the kernel's table, waiting for its end. */
  static void reap(long child) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      int unused = (int) WAITPID.invokeExact(state, (int) child, MemorySegment.NULL, 0);
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  /** Whether the connection of an open /dev/fuse has ended. */
  static boolean isAborted(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      // struct pollfd: s32 fd; s16 events, revents.
      MemorySegment poll = arena.allocate(JAVA_LONG);
      poll.set(JAVA_INT, 0, device);
      int unused = (int) POLL.invokeExact(state, poll, 1L, 0);
      return (poll.get(java.lang.foreign.ValueLayout.JAVA_SHORT, 6) & POLL_ERROR) != 0;
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }
}
