package org.trefoilfs.mount.fuse;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.trefoilfs.mount.fuse.MountOptions.Flag;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.vfs.AllocateRequest;
import org.trefoilfs.mount.vfs.AttributeRequest;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.mount.vfs.KernelPages;
import org.trefoilfs.mount.vfs.LockPatience;
import org.trefoilfs.mount.vfs.OpenFlags;
import org.trefoilfs.mount.vfs.PendingLock;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.WriteRequest;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * What each request of the FUSE protocol is answered with, whichever transport brought it: the one
 * way from the kernel's node numbers and flags to the {@link Vfs}. Fails as the Vfs does.
 */
public final class Answers {
  /** XATTR_CREATE and XATTR_REPLACE of linux/xattr.h. */
  private static final int XATTR_CREATE = 1;

  private static final int XATTR_REPLACE = 2;

  /** Of linux/fs.h. */
  private static final int SEEK_DATA = 3;

  private static final int SEEK_HOLE = 4;
  private static final byte[] NO_TARGET = new byte[0];

  private final Vfs vfs;
  private final Nodes nodes;
  private final int forcedWriteFlags;
  private final boolean directIo;

  /**
   * Handles whose files were not opened with O_SYNC or O_DSYNC; of those that an earlier daemon
   * opened that is not known. Each write says it again, COPY_FILE_RANGE does not.
   */
  private final Set<Long> notSynced = ConcurrentHashMap.newKeySet();

  public Answers(Vfs vfs, MountOptions options) {
    this.vfs = vfs;
    this.nodes = new Nodes(vfs.root());
    this.directIo = options.has(Flag.DIRECT_IO);
    this.forcedWriteFlags = options.has(Flag.SYNC) ? OpenFlags.DATA_SYNC : 0;
  }

  public Nodes nodes() {
    return nodes;
  }

  /** What the kernel may remember of the answers. */
  public LookupCache cache() {
    return vfs.cache();
  }

  /** What it may use of the files' pages that it has. */
  public KernelPages pages() {
    return vfs.pages();
  }

  /**
   * Takes back a reply that could not be delivered. An opener that was killed meanwhile will send
   * no release, so what was opened for it is closed here.
   */
  public void undo(Reply reply) {
    switch (reply) {
      case Reply.Opened(long handle, var _) -> release(handle);
      case Reply.Created(Vfs.Opened(long handle, var attributes)) -> release(handle);
      case Reply.OpenedDirectory(long handle) -> vfs.closeDirectory(handle);
      case Reply.Locked(PendingLock lock) -> lock.undo();
      default -> {}
    }
  }

  /** The mount is gone: who waits for a lock need not be waited for. */
  public void ended() {
    vfs.locks().ended();
  }

  // ---- names

  public Reply lookup(long parent, byte[] name) {
    long directory = nodes.inode(parent);
    try {
      return new Reply.Looked(directory, name, vfs.counted(vfs.lookup(directory, name)));
    } catch (TrefoilException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return new Reply.Looked(directory, name, null);
      }
      throw e;
    }
  }

  public Reply getattr(long node) {
    return new Reply.Stat(vfs.counted(vfs.attributes(nodes.inode(node))));
  }

  /** GETATTR before a read(2), which uses nothing but the size of it: blocks are not counted. */
  public Reply getattrForRead(long node) {
    return new Reply.Stat(vfs.attributesForRead(nodes.inode(node)));
  }

  public Reply setattr(long node, AttributeRequest request) {
    return new Reply.Stat(vfs.counted(vfs.setAttributes(nodes.inode(node), request)));
  }

  public Reply readlink(long node) {
    return new Reply.Target(vfs.readLink(nodes.inode(node)));
  }

  /** MKNOD, MKDIR and SYMLINK, by what {@code inode} is. */
  public Reply make(long parent, byte[] name, NewInode inode) {
    return new Reply.Entry(vfs.make(nodes.inode(parent), name, inode));
  }

  /**
   * @param umask what is yet to be taken from the mode
   */
  public static NewInode node(int mode, int umask, long device, Caller caller) {
    return new NewInode(mode, umask & 0777, caller.uid(), caller.gid(), device, NO_TARGET);
  }

  public static NewInode file(int mode, int umask, Caller caller) {
    return node(FileType.REGULAR.bits() | (mode & ~FileType.MASK), umask, 0, caller);
  }

  public static NewInode directory(int mode, int umask, Caller caller) {
    return node(FileType.DIRECTORY.bits() | (mode & ~FileType.MASK), umask, 0, caller);
  }

  public static NewInode symlink(byte[] target, Caller caller) {
    int mode = FileType.SYMBOLIC_LINK.bits() | 0777;
    return new NewInode(mode, caller.uid(), caller.gid(), 0, target);
  }

  public Reply unlink(long parent, byte[] name) {
    vfs.unlink(nodes.inode(parent), name);
    return Reply.OK;
  }

  public Reply rmdir(long parent, byte[] name) {
    vfs.rmdir(nodes.inode(parent), name);
    return Reply.OK;
  }

  public Reply rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode) {
    vfs.rename(
        Location.of(nodes.inode(parent), name), Location.of(nodes.inode(newParent), newName), mode);
    return Reply.OK;
  }

  public Reply link(long node, long newParent, byte[] newName) {
    return new Reply.Entry(
        vfs.counted(vfs.link(nodes.inode(node), nodes.inode(newParent), newName)));
  }

  public Reply statfs() {
    return new Reply.Room(vfs.capacity());
  }

  // ---- files

  /** {@code flags} are those of open(2). */
  public Reply open(long node, int flags) {
    long inode = nodes.inode(node);
    if (directIo || !OpenFlags.readsPages(flags)) {
      return new Reply.Opened(opened(vfs.open(inode), flags), false);
    }
    Vfs.OpenToRead open = vfs.openToRead(inode);
    return new Reply.Opened(opened(open.handle(), flags), open.keepsPages());
  }

  private long opened(long handle, int flags) {
    if (!OpenFlags.has(flags, OpenFlags.DATA_SYNC)) {
      notSynced.add(handle);
    }
    return handle;
  }

  /** {@code flags} are those of open(2). */
  public Reply create(long parent, byte[] name, NewInode inode, int flags) {
    Vfs.Opened opened = vfs.create(nodes.inode(parent), name, inode, flags);
    return new Reply.Created(
        new Vfs.Opened(opened(opened.handle(), flags), vfs.counted(opened.attributes())));
  }

  public Reply read(long handle, long offset, int size) {
    return new Reply.Data(vfs.read(handle, offset, size));
  }

  public Reply write(long handle, WriteRequest request) {
    return new Reply.Written(vfs.write(handle, request.with(forcedWriteFlags)));
  }

  public Reply flush(long handle, long lockOwner) {
    vfs.flush(handle, lockOwner);
    return Reply.OK;
  }

  public Reply release(long handle) {
    notSynced.remove(handle);
    vfs.release(handle);
    return Reply.OK;
  }

  /**
   * @param dataOnly for fdatasync(2)
   */
  public Reply fsync(long handle, boolean dataOnly) {
    if (dataOnly) {
      vfs.syncData(handle);
    } else {
      vfs.sync(handle);
    }
    return Reply.OK;
  }

  public Reply fallocate(long handle, int mode, long offset, long length) {
    vfs.allocate(handle, AllocateRequest.of(mode, offset, length));
    return Reply.OK;
  }

  /** LSEEK, which the kernel sends for SEEK_DATA and SEEK_HOLE alone. */
  public Reply lseek(long handle, long offset, int whence) {
    Vfs.Seek to =
        switch (whence) {
          case SEEK_DATA -> Vfs.Seek.DATA;
          case SEEK_HOLE -> Vfs.Seek.HOLE;
          default -> throw new TrefoilException(Reason.INVALID, "lseek to " + whence);
        };
    OptionalLong found = vfs.seek(handle, offset, to);
    return found.isPresent() ? new Reply.Offset(found.getAsLong()) : new Reply.Errno(Errno.ENXIO);
  }

  /** How many bytes were copied. */
  public long copyFileRange(Vfs.Place from, Vfs.Place to, long length, Caller caller) {
    int flags = notSynced.contains(to.handle()) ? forcedWriteFlags : OpenFlags.DATA_SYNC;
    return vfs.copy(from, to, length, flags, caller);
  }

  // ---- locks

  public Reply getlk(long handle, LockArguments in) {
    return vfs.testLock(handle, in.request())
        .map(lock -> conflict(LockArguments.type(lock.type()), lock.range(), lock.pid()))
        .orElseGet(() -> conflict(LockArguments.UNLOCK, in.range(), 0));
  }

  private static Reply conflict(int type, LockRange range, int pid) {
    return new Reply.Conflict(type, range, pid);
  }

  /** SETLK, and with patience SETLKW. */
  public Later setlk(long handle, LockArguments in, LockPatience patience) {
    if (in.isUnlock()) {
      return new Unlocking(
          () -> vfs.unlock(handle, in.kind(), in.owner(), in.range()).thenApply(done -> Reply.OK));
    }
    return new Locking(vfs.lock(handle, in.request(), patience));
  }

  private record Locking(PendingLock lock) implements Later {
    @Override
    public CompletableFuture<Reply> start() {
      return lock.start().thenApply(done -> new Reply.Locked(lock));
    }

    @Override
    public void interrupt() {
      lock.interrupt();
    }
  }

  private record Unlocking(Supplier<CompletableFuture<Reply>> call) implements Later {
    @Override
    public CompletableFuture<Reply> start() {
      return call.get();
    }

    /** It waits for nobody. */
    @Override
    public void interrupt() {}
  }

  // ---- directories

  public Reply opendir(long node) {
    return new Reply.OpenedDirectory(vfs.openDirectory(nodes.inode(node)));
  }

  public Reply readdir(long handle, long node, long offset, int size) {
    return new Reply.Data(DirectoryPacker.pack(vfs, handle, nodes.inode(node), offset, size));
  }

  public Reply releasedir(long handle) {
    vfs.closeDirectory(handle);
    return Reply.OK;
  }

  /** Changes of names are durable when they return. */
  public Reply fsyncdir() {
    return Reply.OK;
  }

  // ---- extended attributes

  public Reply setxattr(long node, byte[] name, byte[] value, int flags) {
    XattrMode mode =
        switch (flags & (XATTR_CREATE | XATTR_REPLACE)) {
          case XATTR_CREATE -> XattrMode.CREATE;
          case XATTR_REPLACE -> XattrMode.REPLACE;
          default -> XattrMode.CREATE_OR_REPLACE;
        };
    vfs.setXattr(nodes.inode(node), name, value, mode);
    return Reply.OK;
  }

  /** The value, if it fits into {@code room} bytes; its length when there is room for 0. */
  public Reply getxattr(long node, byte[] name, long room) {
    return sized(vfs.xattr(nodes.inode(node), name), room);
  }

  /** The names that the caller may see, each with a NUL after it; sized as {@link #getxattr}. */
  public Reply listxattr(long node, Caller caller, long room) {
    return sized(joined(vfs.xattrs(nodes.inode(node), caller)), room);
  }

  public Reply removexattr(long node, byte[] name) {
    vfs.removeXattr(nodes.inode(node), name);
    return Reply.OK;
  }

  private static Reply sized(byte[] value, long room) {
    if (room == 0) {
      return new Reply.Length(value.length);
    }
    return value.length > room
        ? new Reply.Errno(Errno.ERANGE)
        : new Reply.Data(ByteBuffer.wrap(value));
  }

  private static byte[] joined(List<byte[]> names) {
    ByteBuffer all = ByteBuffer.allocate(names.stream().mapToInt(name -> name.length + 1).sum());
    names.forEach(name -> all.put(name).put((byte) 0));
    return all.array();
  }
}
