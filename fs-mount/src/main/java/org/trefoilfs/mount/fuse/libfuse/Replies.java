package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.Pointer;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Nodes;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.vfs.Vfs;

/** Sends replies through libfuse. A request is freed by its reply, so it gets exactly one. */
final class Replies {
  private final Libfuse library;
  private final Answers answers;
  private final Nodes nodes;
  private final boolean directIo;
  private final ThreadLocal<Scratch> scratch;

  Replies(Libfuse library, Answers answers, ThreadLocal<Scratch> scratch, boolean directIo) {
    this.library = library;
    this.answers = answers;
    this.nodes = answers.nodes();
    this.scratch = scratch;
    this.directIo = directIo;
  }

  void send(long request, Reply reply) {
    if (deliver(request, reply) != 0) {
      answers.undo(reply);
    }
  }

  /** 0, or what kept libfuse from handing the reply to the kernel. */
  private int deliver(long request, Reply reply) {
    return switch (reply) {
      // From any thread, for which no memory is to be allocated.
      case Reply.Errno(int errno) -> library.fuse_reply_err(request, errno);
      case Reply.Locked(var lock) -> library.fuse_reply_err(request, 0);
      case Reply.Entry(var attributes) ->
          library.fuse_reply_entry(
              request, scratch.get().entry(nodes.node(attributes.inode()), attributes));
      case Reply.Looked(_, _, var attributes) ->
          attributes == null
              ? library.fuse_reply_err(request, Errno.ENOENT)
              : deliver(request, new Reply.Entry(attributes));
      case Reply.Created(Vfs.Opened(long handle, var attributes)) -> {
        Pointer entry = scratch.get().entry(nodes.node(attributes.inode()), attributes);
        yield library.fuse_reply_create(request, entry, file(handle));
      }
      case Reply.Stat(var attributes) ->
          library.fuse_reply_attr(request, scratch.get().stat(attributes), 0);
      case Reply.Opened(long handle, var _) -> library.fuse_reply_open(request, file(handle));
      case Reply.OpenedDirectory(long handle) ->
          library.fuse_reply_open(request, scratch.get().opened(handle));
      case Reply.Written(int count) -> library.fuse_reply_write(request, count);
      case Reply.Offset offset ->
          throw new IllegalArgumentException(offset + " is no answer to FUSE 7.19");
      case Reply.Data(var bytes) ->
          library.fuse_reply_buf(request, scratch.get().bytes(bytes), bytes.remaining());
      case Reply.Target(byte[] path) ->
          library.fuse_reply_readlink(request, scratch.get().terminated(path));
      case Reply.Length(int bytes) -> library.fuse_reply_xattr(request, bytes);
      case Reply.Conflict conflict ->
          library.fuse_reply_lock(request, scratch.get().flock(conflict));
      case Reply.Room(var capacity) ->
          library.fuse_reply_statfs(request, scratch.get().statvfs(capacity));
    };
  }

  private Pointer file(long handle) {
    Pointer file = scratch.get().opened(handle);
    if (directIo) {
      FileInfo.setDirectIo(file);
    }
    return file;
  }
}
