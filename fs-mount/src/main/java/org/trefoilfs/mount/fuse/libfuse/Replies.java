package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.Pointer;
import org.trefoilfs.mount.vfs.Vfs;

/** Sends replies through libfuse. A request is freed by its reply, so it gets exactly one. */
final class Replies {
  private final Libfuse library;
  private final Vfs vfs;
  private final Nodes nodes;
  private final boolean directIo;
  private final ThreadLocal<Scratch> scratch;

  Replies(Libfuse library, Vfs vfs, Nodes nodes, ThreadLocal<Scratch> scratch, boolean directIo) {
    this.library = library;
    this.vfs = vfs;
    this.nodes = nodes;
    this.scratch = scratch;
    this.directIo = directIo;
  }

  void send(long request, Reply reply) {
    Scratch memory = scratch.get();
    switch (reply) {
      case Reply.Errno(int errno) -> library.fuse_reply_err(request, errno);
      case Reply.Entry(var attributes) ->
          library.fuse_reply_entry(
              request, memory.entry(nodes.node(attributes.inode()), attributes));
      case Reply.Created(Vfs.Opened(long handle, var attributes)) -> {
        Pointer entry = memory.entry(nodes.node(attributes.inode()), attributes);
        releaseIfGone(handle, library.fuse_reply_create(request, entry, file(memory, handle)));
      }
      case Reply.Stat(var attributes) ->
          library.fuse_reply_attr(request, memory.stat(attributes), 0);
      case Reply.Opened(long handle) ->
          releaseIfGone(handle, library.fuse_reply_open(request, file(memory, handle)));
      case Reply.OpenedDirectory(long handle) -> {
        if (library.fuse_reply_open(request, memory.opened(handle)) != 0) {
          vfs.closeDirectory(handle);
        }
      }
      case Reply.Written(int count) -> library.fuse_reply_write(request, count);
      case Reply.Data(var bytes) ->
          library.fuse_reply_buf(request, memory.bytes(bytes), bytes.remaining());
      case Reply.Target(byte[] path) ->
          library.fuse_reply_readlink(request, memory.terminated(path));
      case Reply.Length(int bytes) -> library.fuse_reply_xattr(request, bytes);
      case Reply.Room(var capacity) -> library.fuse_reply_statfs(request, memory.statvfs(capacity));
    }
  }

  private Pointer file(Scratch memory, long handle) {
    Pointer file = memory.opened(handle);
    if (directIo) {
      FileInfo.setDirectIo(file);
    }
    return file;
  }

  /** The opener was killed before the reply: the kernel will send no release. */
  private void releaseIfGone(long handle, int result) {
    if (result != 0) {
      vfs.release(handle);
    }
  }
}
