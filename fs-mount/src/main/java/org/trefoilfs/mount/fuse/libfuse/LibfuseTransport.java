package org.trefoilfs.mount.fuse.libfuse;

import java.nio.file.Path;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.FuseTransport;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountOptions.Flag;
import org.trefoilfs.mount.fuse.Prerequisites;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** Mounts through libfuse 2.9. */
public final class LibfuseTransport implements FuseTransport {
  /** Bytes of a READ or WRITE; libfuse 2.9 takes no more. */
  private static final int MAX_IO = 131072;

  /** Room for the largest reply: data, an xattr of 64 KiB, a link target and its NUL. */
  private static final int SCRATCH = MAX_IO + 4096;

  private final TimeSource time;

  public LibfuseTransport(TimeSource time) {
    this.time = time;
  }

  @Override
  public MountHandle mount(Vfs vfs, Path mountPoint, MountOptions options) {
    if (options.has(Flag.ACL)) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          "mount option 'acl' needs --transport kernel: libfuse 2 does not let the kernel check"
              + " access control lists");
    }
    Path path = mountPoint.toAbsolutePath().normalize();
    Prerequisites.check(path, options);
    Libfuse library = Libfuse.load();
    Runtime runtime = Libfuse.runtime(library);
    CallStatistics statistics = new CallStatistics();
    Answers answers = new Answers(vfs, options);
    ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(() -> new Scratch(runtime, SCRATCH));
    boolean directIo = !options.has(Flag.PAGE_CACHE);
    LaterCalls later = new LaterCalls(library, answers);
    Requests requests =
        new Requests(
            answers,
            new Calls(time, statistics),
            new RequestReader(library),
            new Replies(library, answers, scratch, directIo),
            later);
    OperationTable table = new OperationTable(runtime);
    requests.register(table);
    LibfuseSession session = new LibfuseSession(library, path, table, later, statistics);
    session.start(arguments(library, options), options.threads());
    return session;
  }

  /** {@code struct fuse_args}: int argc, char **argv, int allocated. */
  private static Pointer arguments(Libfuse library, MountOptions options) {
    Pointer args = Memory.allocateDirect(Libfuse.runtime(library), 24, true);
    add(library, args, "trefoil");
    option(library, args, "fsname=" + options.source());
    option(library, args, "subtype=trefoil");
    option(library, args, "default_permissions");
    option(library, args, "big_writes");
    option(library, args, "max_write=" + MAX_IO);
    option(library, args, "max_read=" + MAX_IO);
    if (options.has(Flag.ALLOW_OTHER)) {
      option(library, args, "allow_other");
    }
    if (options.has(Flag.READ_ONLY)) {
      option(library, args, "ro");
    }
    if (options.has(Flag.NO_EXEC)) {
      option(library, args, "noexec");
    }
    if (Prerequisites.isRoot()) {
      // libfuse's default is to refuse both, which a local disk does not.
      option(library, args, options.has(Flag.NO_SUID) ? "nosuid" : "suid");
      option(library, args, options.has(Flag.NO_DEVICES) ? "nodev" : "dev");
    }
    return args;
  }

  private static void option(Libfuse library, Pointer args, String option) {
    add(library, args, "-o");
    // libfuse reads commas and backslashes in an option's value as its own.
    add(library, args, option.replace("\\", "\\\\").replace(",", "\\,"));
  }

  private static void add(Libfuse library, Pointer args, String argument) {
    if (library.fuse_opt_add_arg(args, argument) != 0) {
      throw new TrefoilException(Reason.INTERNAL, "out of native memory");
    }
  }
}
