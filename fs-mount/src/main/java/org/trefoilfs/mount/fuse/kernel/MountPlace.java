package org.trefoilfs.mount.fuse.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What the kernel can do to directories that are mounted on, beside mounting. For root. */
public final class MountPlace {
  /** MS_BIND and MS_SHARED of linux/mount.h. */
  private static final long BIND = 1 << 12;

  private static final long SHARED = 1 << 20;

  /** FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_IMMUTABLE_FL of linux/fs.h; x86-64 and arm64 agree. */
  private static final long GET_FLAGS = 0x80086601L;

  private static final long SET_FLAGS = 0x40086602L;
  private static final int IMMUTABLE = 0x10;

  /** O_RDONLY and O_CLOEXEC of asm-generic/fcntl.h. */
  private static final int READ_CLOSE_ON_EXEC = 02000000;

  private static final MethodHandle OPEN =
      Native.function(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle IOCTL =
      Native.function(
          "ioctl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
          Linker.Option.firstVariadicArg(2));

  private MountPlace() {}

  /** Whether the directory may be changed, by root too. */
  public enum Contents {
    /** Nothing can be made in the directory, nor can it be removed (chattr(1), {@code +i}). */
    IMMUTABLE,
    CHANGEABLE
  }

  /**
   * Whether what is mounted beneath the directory from here on shows in the mount namespaces that
   * are copies of this one (mount_namespaces(7)).
   */
  public static boolean isShared(Path directory) {
    return MountTable.containing(directory).filter(MountTable.Mount::shared).isPresent();
  }

  /** Makes it so, by mounting the directory on itself. */
  public static void share(Path directory) {
    String path = directory.toString();
    check(directory, "bind", Native.mount(path, path, "none", BIND, ""));
    check(directory, "make shared", Native.mount("none", path, "none", SHARED, ""));
  }

  /**
   * NOT_SUPPORTED where the filesystem knows no such flag.
   *
   * @param directory not one that something is mounted on: that would be asked, and may hang
   */
  public static void set(Path directory, Contents contents) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Native.STATE_LAYOUT);
      int opened =
          (int)
              OPEN.invokeExact(state, arena.allocateFrom(directory.toString()), READ_CLOSE_ON_EXEC);
      check(directory, "open", Native.resultOr(opened, state));
      try {
        MemorySegment flags = arena.allocate(JAVA_LONG);
        check(directory, "read the flags of", ioctl(opened, GET_FLAGS, flags, state));
        int present = flags.get(JAVA_INT, 0);
        flags.set(
            JAVA_INT,
            0,
            contents == Contents.IMMUTABLE ? present | IMMUTABLE : present & ~IMMUTABLE);
        check(directory, "set the flags of", ioctl(opened, SET_FLAGS, flags, state));
      } finally {
        Native.close(opened);
      }
    } catch (Throwable e) {
      throw Native.impossible(e);
    }
  }

  private static long ioctl(int opened, long request, MemorySegment flags, MemorySegment state)
      throws Throwable {
    return Native.resultOr((int) IOCTL.invokeExact(state, opened, request, flags), state);
  }

  private static void check(Path directory, String what, long result) {
    if (result < 0) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED, "cannot " + what + " " + directory + ": errno " + -result);
    }
  }
}
