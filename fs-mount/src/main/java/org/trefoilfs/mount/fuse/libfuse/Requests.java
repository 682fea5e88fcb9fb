package org.trefoilfs.mount.fuse.libfuse;

import static org.trefoilfs.mount.fuse.libfuse.RequestReader.name;

import java.util.function.Supplier;
import jnr.ffi.Pointer;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Later;
import org.trefoilfs.mount.fuse.Operation;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.fuse.libfuse.OperationTable.Slot;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.vfs.LockPatience;
import org.trefoilfs.mount.vfs.WriteRequest;

/** From libfuse's callbacks to the {@link Answers}: one short method for each. */
final class Requests {
  private final Answers answers;
  private final Calls calls;
  private final RequestReader reader;
  private final Replies replies;
  private final LaterCalls later;

  Requests(Answers answers, Calls calls, RequestReader reader, Replies replies, LaterCalls later) {
    this.answers = answers;
    this.calls = calls;
    this.reader = reader;
    this.replies = replies;
    this.later = later;
  }

  void register(OperationTable table) {
    registerNames(table);
    registerFiles(table);
    registerDirectories(table);
    registerXattrs(table);
    table
        .put(Slot.GETLK, Callbacks.GetLock.class, this::getlk)
        .put(Slot.SETLK, Callbacks.SetLock.class, this::setlk)
        .put(Slot.FLOCK, Callbacks.Flock.class, this::flock);
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
    serve(Operation.LOOKUP, request, () -> answers.lookup(parent, name(at)));
  }

  private void getattr(long request, long node, Pointer file) {
    serve(Operation.GETATTR, request, () -> answers.getattr(node));
  }

  private void setattr(long request, long node, Pointer stat, int which, Pointer file) {
    serve(
        Operation.SETATTR,
        request,
        () -> answers.setattr(node, RequestReader.attributes(stat, which)));
  }

  private void readlink(long request, long node) {
    serve(Operation.READLINK, request, () -> answers.readlink(node));
  }

  private void mknod(long request, long parent, Pointer at, int mode, long device) {
    serve(
        Operation.MKNOD,
        request,
        () ->
            answers.make(parent, name(at), Answers.node(mode, 0, device, reader.caller(request))));
  }

  private void mkdir(long request, long parent, Pointer at, int mode) {
    serve(
        Operation.MKDIR,
        request,
        () -> answers.make(parent, name(at), Answers.directory(mode, 0, reader.caller(request))));
  }

  private void symlink(long request, Pointer target, long parent, Pointer at) {
    serve(
        Operation.SYMLINK,
        request,
        () ->
            answers.make(parent, name(at), Answers.symlink(name(target), reader.caller(request))));
  }

  private void unlink(long request, long parent, Pointer at) {
    serve(Operation.UNLINK, request, () -> answers.unlink(parent, name(at)));
  }

  private void rmdir(long request, long parent, Pointer at) {
    serve(Operation.RMDIR, request, () -> answers.rmdir(parent, name(at)));
  }

  private void rename(long request, long parent, Pointer from, long newParent, Pointer to) {
    serve(
        Operation.RENAME,
        request,
        () -> answers.rename(parent, name(from), newParent, name(to), RenameMode.REPLACE));
  }

  private void link(long request, long node, long newParent, Pointer to) {
    serve(Operation.LINK, request, () -> answers.link(node, newParent, name(to)));
  }

  private void statfs(long request, long node) {
    serve(Operation.STATFS, request, answers::statfs);
  }

  // ---- files

  private void open(long request, long node, Pointer file) {
    serve(Operation.OPEN, request, () -> answers.open(node, FileInfo.flags(file)));
  }

  private void create(long request, long parent, Pointer at, int mode, Pointer file) {
    serve(
        Operation.CREATE,
        request,
        () ->
            answers.create(
                parent,
                name(at),
                Answers.file(mode, 0, reader.caller(request)),
                FileInfo.flags(file)));
  }

  private void read(long request, long node, long size, long offset, Pointer file) {
    serve(
        Operation.READ,
        request,
        () -> answers.read(FileInfo.handle(file), offset, Math.toIntExact(size)));
  }

  private void write(long request, long node, Pointer data, long size, long offset, Pointer file) {
    serve(
        Operation.WRITE,
        request,
        () ->
            answers.write(
                FileInfo.handle(file),
                new WriteRequest(
                    offset,
                    RequestReader.data(data, size),
                    FileInfo.flags(file),
                    reader.caller(request))));
  }

  private void flush(long request, long node, Pointer file) {
    serve(
        Operation.FLUSH,
        request,
        () -> answers.flush(FileInfo.handle(file), FileInfo.lockOwner(file)));
  }

  private void release(long request, long node, Pointer file) {
    serve(Operation.RELEASE, request, () -> answers.release(FileInfo.handle(file)));
  }

  private void fsync(long request, long node, int dataOnly, Pointer file) {
    serve(Operation.FSYNC, request, () -> answers.fsync(FileInfo.handle(file), dataOnly != 0));
  }

  private void fallocate(
      long request, long node, int mode, long offset, long length, Pointer file) {
    serve(
        Operation.FALLOCATE,
        request,
        () -> answers.fallocate(FileInfo.handle(file), mode, offset, length));
  }

  // ---- directories

  private void opendir(long request, long node, Pointer file) {
    serve(Operation.OPENDIR, request, () -> answers.opendir(node));
  }

  private void readdir(long request, long node, long size, long offset, Pointer file) {
    serve(
        Operation.READDIR,
        request,
        () -> answers.readdir(FileInfo.handle(file), node, offset, Math.toIntExact(size)));
  }

  private void releasedir(long request, long node, Pointer file) {
    serve(Operation.RELEASEDIR, request, () -> answers.releasedir(FileInfo.handle(file)));
  }

  private void fsyncdir(long request, long node, int dataOnly, Pointer file) {
    serve(Operation.FSYNCDIR, request, answers::fsyncdir);
  }

  // ---- extended attributes

  private void setxattr(long request, long node, Pointer at, Pointer value, long size, int flags) {
    serve(
        Operation.SETXATTR,
        request,
        () -> answers.setxattr(node, name(at), RequestReader.bytes(value, size), flags));
  }

  private void getxattr(long request, long node, Pointer at, long size) {
    serve(Operation.GETXATTR, request, () -> answers.getxattr(node, name(at), size));
  }

  private void listxattr(long request, long node, long size) {
    serve(
        Operation.LISTXATTR, request, () -> answers.listxattr(node, reader.caller(request), size));
  }

  private void removexattr(long request, long node, Pointer at) {
    serve(Operation.REMOVEXATTR, request, () -> answers.removexattr(node, name(at)));
  }

  // ---- locks

  private void getlk(long request, long node, Pointer file, Pointer lock) {
    serve(
        Operation.GETLK,
        request,
        () -> answers.getlk(FileInfo.handle(file), Flock.read(file, lock)));
  }

  private void setlk(long request, long node, Pointer file, Pointer lock, int sleep) {
    LockPatience patience = sleep == 0 ? LockPatience.NONE : LockPatience.WAIT;
    serveLater(
        request,
        patience,
        () -> answers.setlk(FileInfo.handle(file), Flock.read(file, lock), patience));
  }

  private void flock(long request, long node, Pointer file, int operation) {
    LockPatience patience = Flock.patience(operation);
    serveLater(
        request,
        patience,
        () ->
            answers.setlk(
                FileInfo.handle(file),
                Flock.ofOperation(FileInfo.lockOwner(file), operation, reader.pid(request)),
                patience));
  }

  // ---- the common ways

  /** No thread waits with it: there are few. */
  private void serveLater(long request, LockPatience patience, Supplier<Later> call) {
    later.enter();
    calls.serveLater(
        patience == LockPatience.WAIT ? Operation.SETLKW : Operation.SETLK,
        () -> later.begin(request, call),
        new Calls.Channel<>() {
          @Override
          public Reply failed(int errno) {
            return new Reply.Errno(errno);
          }

          @Override
          public void send(Reply reply) {
            later.answering(request);
            try {
              replies.send(request, reply);
            } finally {
              later.leave();
            }
          }
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
