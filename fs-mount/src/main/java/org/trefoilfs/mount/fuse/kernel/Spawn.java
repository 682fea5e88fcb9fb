package org.trefoilfs.mount.fuse.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * posix_spawn(3) of a process in a session of its own that inherits chosen descriptors and no
 * others, which {@link ProcessBuilder} cannot do. Needs glibc 2.34 (closefrom).
 */
final class Spawn {
  /** Larger than glibc's structures of both kinds, which are 80 and 336 bytes. */
  private static final long STRUCTURE = 1024;

  /** POSIX_SPAWN_SETSID of glibc's spawn.h. */
  private static final short SET_SESSION = 0x80;

  private static final int READ_WRITE = 2;
  private static final String NOWHERE = "/dev/null";
  private static final String PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

  private Spawn() {}

  /**
   * Starts a program; its standard input is the first of the descriptors, standard output and error
   * go nowhere, and the others are its descriptors from 3 on.
   *
   * @return its process id. NOT_SUPPORTED when libc cannot, IO when the program does not start
   */
  static long start(List<String> command, int input, List<Integer> descriptors) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment actions = arena.allocate(STRUCTURE, Long.BYTES);
      check(call("posix_spawn_file_actions_init", actions));
      check(call("posix_spawn_file_actions_adddup2", actions, input, 0));
      nowhere(arena, actions, 1);
      nowhere(arena, actions, 2);
      int next = 3;
      for (int descriptor : descriptors) {
        if (descriptor < 3 + descriptors.size()) {
          throw new IllegalStateException("descriptor " + descriptor + " would be overwritten");
        }
        check(call("posix_spawn_file_actions_adddup2", actions, descriptor, next++));
      }
      check(call("posix_spawn_file_actions_addclosefrom_np", actions, next));
      MemorySegment attributes = arena.allocate(STRUCTURE, Long.BYTES);
      check(call("posix_spawnattr_init", attributes));
      check(callShort("posix_spawnattr_setflags", attributes, SET_SESSION));
      return spawn(arena, actions, attributes, command);
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  private static long spawn(
      Arena arena, MemorySegment actions, MemorySegment attributes, List<String> command)
      throws Throwable {
    MemorySegment pid = arena.allocate(JAVA_INT);
    MethodHandle spawn =
        function(
            "posix_spawn",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
    int errno =
        (int)
            spawn.invokeExact(
                pid,
                arena.allocateFrom(command.getFirst()),
                actions,
                attributes,
                strings(arena, command),
                strings(arena, List.of(PATH)));
    check(errno);
    return pid.get(JAVA_INT, 0);
  }

  private static MemorySegment strings(Arena arena, List<String> values) {
    MemorySegment array = arena.allocate(ADDRESS, values.size() + 1L);
    for (int i = 0; i < values.size(); i++) {
      array.setAtIndex(ADDRESS, i, arena.allocateFrom(values.get(i)));
    }
    return array;
  }

  private static void nowhere(Arena arena, MemorySegment actions, int descriptor) throws Throwable {
    MethodHandle open =
        function(
            "posix_spawn_file_actions_addopen",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    check((int) open.invokeExact(actions, descriptor, arena.allocateFrom(NOWHERE), READ_WRITE, 0));
  }

  private static int call(String name, MemorySegment on) throws Throwable {
    return (int) function(name, FunctionDescriptor.of(JAVA_INT, ADDRESS)).invokeExact(on);
  }

  private static int call(String name, MemorySegment on, int argument) throws Throwable {
    return (int)
        function(name, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT))
            .invokeExact(on, argument);
  }

  private static int call(String name, MemorySegment on, int first, int second) throws Throwable {
    return (int)
        function(name, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT))
            .invokeExact(on, first, second);
  }

  private static int callShort(String name, MemorySegment on, short flags) throws Throwable {
    return (int)
        function(name, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_SHORT)).invokeExact(on, flags);
  }

  private static MethodHandle function(String name, FunctionDescriptor shape) {
    Linker linker = Linker.nativeLinker();
    MemorySegment symbol =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(
                () ->
                    new TrefoilException(
                        Reason.NOT_SUPPORTED, "libc has no " + name + "; glibc 2.34 has"));
    return linker.downcallHandle(symbol, shape);
  }

  private static void check(int errno) {
    if (errno != 0) {
      throw new TrefoilException(Reason.IO, "a process could not be started: errno " + errno);
    }
  }
}
