package org.trefoilfs.tools.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Replaces this process by another program under the same process id (execve(2)), so that a service
 * manager which started the command has started the daemon.
 */
final class Exec {
  private Exec() {}

  /** Returns only by failing. */
  static TrefoilException replaceBy(List<String> command) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment arguments = arena.allocate(ValueLayout.ADDRESS, command.size() + 1L);
      for (int i = 0; i < command.size(); i++) {
        arguments.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(command.get(i)));
      }
      arguments.setAtIndex(ValueLayout.ADDRESS, command.size(), MemorySegment.NULL);
      int status = (int) execv().invokeExact(arena.allocateFrom(command.get(0)), arguments);
      return new TrefoilException(
          Reason.INTERNAL, command.get(0) + ": could not be executed (" + status + ")");
    } catch (Throwable e) {
      return new TrefoilException(Reason.INTERNAL, command.get(0) + ": could not be executed", e);
    }
  }

  private static MethodHandle execv() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("execv"),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
  }
}
