package org.trefoilfs.mount.fuse.libfuse;

import static org.trefoilfs.mount.fuse.libfuse.RequestReader.name;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import jnr.ffi.Pointer;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Operation;
import org.trefoilfs.mount.fuse.libfuse.OperationTable.Slot;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.vfs.AllocateRequest;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.mount.vfs.OpenFlags;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.WriteRequest;

/** From libfuse's callbacks to the {@link Vfs}: one short method for each. */
final class Requests {
  /** XATTR_CREATE and XATTR_REPLACE of linux/xattr.h. */
  private static final int XATTR_CREATE = 1;

  private static final int XATTR_REPLACE = 2;
  private static final byte[] NO_TARGET = new byte[0];

  private final Vfs vfs;
  private final Calls calls;
  private final RequestReader reader;
  private final Replies replies;
  private final Nodes nodes;
  private int forcedWriteFlags;

  Requests(Vfs vfs, Calls calls, RequestReader reader, Replies replies, Nodes nodes) {
    this.vfs = vfs;
    this.calls = calls;
    this.reader = reader;
    this.replies = replies;
    this.nodes = nodes;
  }

  /** A mount with the option sync: every write is one with O_DSYNC. */
  void syncEveryWrite() {
    forcedWriteFlags = OpenFlags.DATA_SYNC;
  }

  void register(OperationTable table) {
    registerNames(table);
    registerFiles(table);
    registerDirectories(table);
    registerXattrs(table);
  }

  private void registerNames(OperationTable table) {
    table
        .put(Slot.LOOKUP, Callbacks.WithPointer.class, this::lookup)
        .put(Slot.GETATTR, Callbacks.WithPointer.class, this::getattr)
        .put(Slot.SETATTR, Callbacks.WithTwoPointers.class, this::setattr)
        .put(Slot.READLINK, Callbacks.OfInode.class, this::readlink)
        .put(Slot.MKNOD, Callbacks.MakeNode.class, this::mknod)
        .put(Slot.MKDIR, Callbacks.WithMode.class, this::mkdir)
        .put(Slot.UNLINK, Callbacks.WithPointer.class, this::unlink)
        .put(Slot.RMDIR, Callbacks.WithPointer.class, this::rmdir)
        .put(Slot.SYMLINK, Callbacks.Symlink.class, this::symlink)
        .put(Slot.RENAME, Callbacks.Rename.class, this::rename)
        .put(Slot.LINK, Callbacks.Link.class, this::link)
        .put(Slot.STATFS, Callbacks.OfInode.class, this::statfs);
  }

  private void registerFiles(OperationTable table) {
    table
        .put(Slot.OPEN, Callbacks.WithPointer.class, this::open)
        .put(Slot.CREATE, Callbacks.WithTwoPointers.class, this::create)
        .put(Slot.READ, Callbacks.Read.class, this::read)
        .put(Slot.WRITE, Callbacks.Write.class, this::write)
        .put(Slot.FLUSH, Callbacks.WithPointer.class, this::flush)
        .put(Slot.RELEASE, Callbacks.WithPointer.class, this::release)
        .put(Slot.FSYNC, Callbacks.Sync.class, this::fsync)
        .put(Slot.FALLOCATE, Callbacks.Allocate.class, this::fallocate);
  }

  private void registerDirectories(OperationTable table) {
    table
        .put(Slot.OPENDIR, Callbacks.WithPointer.class, this::opendir)
        .put(Slot.READDIR, Callbacks.Read.class, this::readdir)
        .put(Slot.RELEASEDIR, Callbacks.WithPointer.class, this::releasedir)
        .put(Slot.FSYNCDIR, Callbacks.Sync.class, this::fsyncdir);
  }

  private void registerXattrs(OperationTable table) {
    table
        .put(Slot.SETXATTR, Callbacks.SetXattr.class, this::setxattr)
        .put(Slot.GETXATTR, Callbacks.GetXattr.class, this::getxattr)
        .put(Slot.LISTXATTR, Callbacks.ListXattr.class, this::listxattr)
        .put(Slot.REMOVEXATTR, Callbacks.WithPointer.class, this::removexattr);
  }

  // ---- names

  private void lookup(long request, long parent, Pointer at) {
    serve(
        Operation.LOOKUP,
        request,
        () -> new Reply.Entry(vfs.lookup(nodes.inode(parent), name(at))));
  }

  private void getattr(long request, long node, Pointer file) {
    serve(Operation.GETATTR, request, () -> new Reply.Stat(vfs.attributes(nodes.inode(node))));
  }

  private void setattr(long request, long node, Pointer stat, int which, Pointer file) {
    serve(
        Operation.SETATTR,
        request,
        () ->
            new Reply.Stat(
                vfs.setAttributes(nodes.inode(node), RequestReader.attributes(stat, which))));
  }

  private void readlink(long request, long node) {
    serve(Operation.READLINK, request, () -> new Reply.Target(vfs.readLink(nodes.inode(node))));
  }

  private void mknod(long request, long parent, Pointer at, int mode, long device) {
    make(Operation.MKNOD, request, parent, at, caller -> inode(mode, caller, device, NO_TARGET));
  }

  private void mkdir(long request, long parent, Pointer at, int mode) {
    int full = FileType.DIRECTORY.bits() | (mode & ~FileType.MASK);
    make(Operation.MKDIR, request, parent, at, caller -> inode(full, caller, 0, NO_TARGET));
  }

  private void symlink(long request, Pointer target, long parent, Pointer at) {
    int mode = FileType.SYMBOLIC_LINK.bits() | 0777;
    make(Operation.SYMLINK, request, parent, at, caller -> inode(mode, caller, 0, name(target)));
  }

  private void make(
      Operation operation,
      long request,
      long parent,
      Pointer at,
      java.util.function.Function<Caller, NewInode> inode) {
    serve(
        operation,
        request,
        () ->
            new Reply.Entry(
                vfs.make(nodes.inode(parent), name(at), inode.apply(reader.caller(request)))));
  }

  private static NewInode inode(int mode, Caller caller, long device, byte[] target) {
    return new NewInode(mode, caller.uid(), caller.gid(), device, target);
  }

  private void unlink(long request, long parent, Pointer at) {
    serveOk(Operation.UNLINK, request, () -> vfs.unlink(nodes.inode(parent), name(at)));
  }

  private void rmdir(long request, long parent, Pointer at) {
    serveOk(Operation.RMDIR, request, () -> vfs.rmdir(nodes.inode(parent), name(at)));
  }

  private void rename(long request, long parent, Pointer from, long newParent, Pointer to) {
    serveOk(
        Operation.RENAME,
        request,
        () ->
            vfs.rename(
                Location.of(nodes.inode(parent), name(from)),
                Location.of(nodes.inode(newParent), name(to)),
                RenameMode.REPLACE));
  }

  private void link(long request, long node, long newParent, Pointer to) {
    serve(
        Operation.LINK,
        request,
        () -> new Reply.Entry(vfs.link(nodes.inode(node), nodes.inode(newParent), name(to))));
  }

  private void statfs(long request, long node) {
    serve(Operation.STATFS, request, () -> new Reply.Room(vfs.capacity()));
  }

  // ---- files

  private void open(long request, long node, Pointer file) {
    serve(Operation.OPEN, request, () -> new Reply.Opened(vfs.open(nodes.inode(node))));
  }

  private void create(long request, long parent, Pointer at, int mode, Pointer file) {
    serve(
        Operation.CREATE,
        request,
        () -> {
          int full = FileType.REGULAR.bits() | (mode & ~FileType.MASK);
          NewInode inode = inode(full, reader.caller(request), 0, NO_TARGET);
          return new Reply.Created(
              vfs.create(nodes.inode(parent), name(at), inode, FileInfo.flags(file)));
        });
  }

  private void read(long request, long node, long size, long offset, Pointer file) {
    serve(
        Operation.READ,
        request,
        () -> new Reply.Data(vfs.read(FileInfo.handle(file), offset, Math.toIntExact(size))));
  }

  private void write(long request, long node, Pointer data, long size, long offset, Pointer file) {
    serve(
        Operation.WRITE,
        request,
        () -> {
          ByteBuffer bytes = RequestReader.data(data, size);
          int flags = FileInfo.flags(file) | forcedWriteFlags;
          return new Reply.Written(
              vfs.write(
                  FileInfo.handle(file),
                  new WriteRequest(offset, bytes, flags, reader.caller(request))));
        });
  }

  private void flush(long request, long node, Pointer file) {
    serveOk(Operation.FLUSH, request, () -> vfs.flush(FileInfo.handle(file)));
  }

  private void release(long request, long node, Pointer file) {
    serveOk(Operation.RELEASE, request, () -> vfs.release(FileInfo.handle(file)));
  }

  private void fsync(long request, long node, int dataOnly, Pointer file) {
    serveOk(Operation.FSYNC, request, () -> vfs.sync(FileInfo.handle(file)));
  }

  private void fallocate(
      long request, long node, int mode, long offset, long length, Pointer file) {
    serveOk(
        Operation.FALLOCATE,
        request,
        () -> vfs.allocate(FileInfo.handle(file), AllocateRequest.of(mode, offset, length)));
  }

  // ---- directories

  private void opendir(long request, long node, Pointer file) {
    serve(
        Operation.OPENDIR,
        request,
        () -> new Reply.OpenedDirectory(vfs.openDirectory(nodes.inode(node))));
  }

  private void readdir(long request, long node, long size, long offset, Pointer file) {
    serve(
        Operation.READDIR,
        request,
        () ->
            new Reply.Data(
                DirectoryPacker.pack(
                    vfs, FileInfo.handle(file), nodes.inode(node), offset, Math.toIntExact(size))));
  }

  private void releasedir(long request, long node, Pointer file) {
    serveOk(Operation.RELEASEDIR, request, () -> vfs.closeDirectory(FileInfo.handle(file)));
  }

  /** Changes of names are durable when they return. */
  private void fsyncdir(long request, long node, int dataOnly, Pointer file) {
    serveOk(Operation.FSYNCDIR, request, () -> {});
  }

  // ---- extended attributes

  private void setxattr(long request, long node, Pointer at, Pointer value, long size, int flags) {
    XattrMode mode =
        switch (flags & (XATTR_CREATE | XATTR_REPLACE)) {
          case XATTR_CREATE -> XattrMode.CREATE;
          case XATTR_REPLACE -> XattrMode.REPLACE;
          default -> XattrMode.CREATE_OR_REPLACE;
        };
    serveOk(
        Operation.SETXATTR,
        request,
        () -> vfs.setXattr(nodes.inode(node), name(at), RequestReader.bytes(value, size), mode));
  }

  private void getxattr(long request, long node, Pointer at, long size) {
    serve(Operation.GETXATTR, request, () -> sized(vfs.xattr(nodes.inode(node), name(at)), size));
  }

  private void listxattr(long request, long node, long size) {
    serve(
        Operation.LISTXATTR,
        request,
        () -> sized(joined(vfs.xattrs(nodes.inode(node), reader.caller(request))), size));
  }

  private void removexattr(long request, long node, Pointer at) {
    serveOk(Operation.REMOVEXATTR, request, () -> vfs.removeXattr(nodes.inode(node), name(at)));
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

  // ---- the common way

  private void serveOk(Operation operation, long request, Runnable call) {
    serve(
        operation,
        request,
        () -> {
          call.run();
          return Reply.OK;
        });
  }

  private void serve(Operation operation, long request, Supplier<Reply> call) {
    calls.serve(
        operation,
        call,
        new Calls.Channel<>() {
          @Override
          public Reply failed(int errno) {
            return new Reply.Errno(errno);
          }

          @Override
          public void send(Reply reply) {
            replies.send(request, reply);
          }
        });
  }
}
