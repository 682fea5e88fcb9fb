package org.trefoilfs.mount.fuse.kernel;

import java.nio.file.Path;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.FuseTransport;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountOptions.Flag;
import org.trefoilfs.mount.fuse.Prerequisites;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** Mounts through /dev/fuse and mount(2), as root. */
public final class KernelTransport implements FuseTransport {
  private static final String DEVICE = "/dev/fuse";
  private static final String TYPE = "fuse.trefoil";

  /** As uname(2) gives it. */
  private static final Pattern RELEASE = Pattern.compile("^(\\d{1,4})\\.(\\d{1,4})");

  // MS_* of linux/mount.h.
  private static final long READ_ONLY = 1;
  private static final long NO_SUID = 2;
  private static final long NO_DEVICES = 4;
  private static final long NO_EXEC = 8;

  /** Requests that wait need none of these, so more would only take turns. */
  private static final int MAX_READERS = 4;

  private final TimeSource time;
  private final IntFunction<Device> devices;

  public KernelTransport(TimeSource time) {
    this(time, FuseDevice::new);
  }

  /**
   * @param devices what reads from a descriptor and writes to it
   */
  KernelTransport(TimeSource time, IntFunction<Device> devices) {
    this.time = time;
    this.devices = devices;
  }

  /** Whether this process may mount so: as root, on Linux 4.20 or later. */
  public static boolean isUsable() {
    return Prerequisites.isRoot() && isRecent(System.getProperty("os.version", ""));
  }

  /** A kernel that speaks FUSE 7.28, as {@link Handshake} wants it. */
  static boolean isRecent(String release) {
    Matcher version = RELEASE.matcher(release);
    if (!version.find()) {
      return false;
    }
    int major = Integer.parseInt(version.group(1));
    return major > 4 || (major == 4 && Integer.parseInt(version.group(2)) >= 20);
  }

  @Override
  public MountHandle mount(Vfs vfs, Path mountPoint, MountOptions options) {
    KernelSession session = attach(vfs, mountPoint.toAbsolutePath().normalize(), options, open());
    shakeHands(session, options);
    session.serve(readers(options));
    return session;
  }

  /** Mounts; nothing is served yet. The descriptor is closed when that fails. */
  KernelSession attach(Vfs vfs, Path path, MountOptions options, int descriptor) {
    try {
      if (!Prerequisites.isRoot()) {
        throw new TrefoilException(
            Reason.NOT_PERMITTED,
            "the kernel transport mounts for root alone: run as root, or use --transport libfuse");
      }
      Prerequisites.check(path, options);
      mount(path, options, descriptor);
    } catch (RuntimeException e) {
      Native.close(descriptor);
      throw e;
    }
    return session(vfs, path, options, new Served(descriptor, new ResentRequests(), false));
  }

  /**
   * What serves a mount that there is.
   *
   * @param descriptor an open /dev/fuse
   * @param resent what earlier daemons have left half done
   * @param earlier whether there was one
   */
  record Served(int descriptor, ResentRequests resent, boolean earlier) {}

  KernelSession session(Vfs vfs, Path path, MountOptions options, Served served) {
    Device device = devices.apply(served.descriptor());
    Answers answers = new Answers(vfs, options);
    ReplyEncoder encoder = new ReplyEncoder(answers);
    CallStatistics statistics = new CallStatistics();
    Calls calls = new Calls(time, statistics);
    Dispatcher dispatcher = new Dispatcher(device, answers, encoder, calls, served.resent());
    KernelSession session = new KernelSession(path, statistics, device, dispatcher);
    KernelNotifier notifier = new KernelNotifier(device, answers, session);
    answers.cache().serves(notifier);
    answers.pages().serves(notifier, served.earlier());
    return session;
  }

  /** A mount that the kernel does not begin to use is taken away again. */
  static Handshake shakeHands(KernelSession session, MountOptions options) {
    try {
      return session.shakeHands(options.has(Flag.ACL));
    } catch (RuntimeException e) {
      Unmounter.unmount(session.mountPoint(), Unmounter.Manner.LAZY);
      throw e;
    }
  }

  static int readers(MountOptions options) {
    return Math.min(options.threads(), MAX_READERS);
  }

  static int open() {
    int descriptor = Native.open(DEVICE);
    if (descriptor < 0) {
      throw new TrefoilException(
          Reason.IO,
          DEVICE
              + " cannot be opened: errno "
              + -descriptor
              + "; a container needs --device /dev/fuse");
    }
    return descriptor;
  }

  private static void mount(Path path, MountOptions options, int descriptor) {
    String data = data(options, descriptor);
    int result = Native.mount(options.source(), path.toString(), TYPE, flags(options), data);
    if (result == -Errno.EPERM || result == -Errno.EACCES) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          "mounting at "
              + path
              + " is not permitted: a container needs --cap-add SYS_ADMIN and perhaps"
              + " --security-opt apparmor=unconfined; without, --transport libfuse may do");
    }
    if (result < 0) {
      throw new TrefoilException(
          Reason.IO,
          "the kernel refused to mount "
              + path
              + ": errno "
              + -result
              + "; `dmesg` may say why, and --transport libfuse may do");
    }
  }

  private static long flags(MountOptions options) {
    return (options.has(Flag.READ_ONLY) ? READ_ONLY : 0)
        | (options.has(Flag.NO_SUID) ? NO_SUID : 0)
        | (options.has(Flag.NO_DEVICES) ? NO_DEVICES : 0)
        | (options.has(Flag.NO_EXEC) ? NO_EXEC : 0);
  }

  /** What fs/fuse/inode.c parses; the root's mode is that of a directory, in octal. */
  private static String data(MountOptions options, int descriptor) {
    String always =
        "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,max_read=%d"
            .formatted(descriptor, RequestBuffer.MAX_IO);
    return options.has(Flag.ALLOW_OTHER) ? always + ",allow_other" : always;
  }
}
