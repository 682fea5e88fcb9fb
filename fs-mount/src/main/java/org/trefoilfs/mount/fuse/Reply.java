package org.trefoilfs.mount.fuse;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.mount.vfs.PendingLock;
import org.trefoilfs.mount.vfs.Vfs;

/** What a request is answered with. */
public sealed interface Reply {
  /** 0 is success without more. */
  record Errno(int errno) implements Reply {}

  record Entry(Attributes attributes) implements Reply {}

  /**
   * What is at a name.
   *
   * @param parent the directory's inode
   * @param attributes null: nothing
   */
  record Looked(long parent, byte[] name, @Nullable Attributes attributes) implements Reply {}

  record Created(Vfs.Opened opened) implements Reply {}

  record Stat(Attributes attributes) implements Reply {}

  /**
   * @param keepsPages whether the file is read through the kernel's page cache, with what is there
   */
  record Opened(long handle, boolean keepsPages) implements Reply {}

  record OpenedDirectory(long handle) implements Reply {}

  record Written(int count) implements Reply {}

  /** An offset, or a number of bytes of which there may be more than {@link Written} can say. */
  record Offset(long value) implements Reply {}

  record Data(ByteBuffer bytes) implements Reply {}

  record Target(byte[] path) implements Reply {}

  record Length(int bytes) implements Reply {}

  record Room(Capacity capacity) implements Reply {}

  /** A lock was granted. */
  record Locked(PendingLock lock) implements Reply {}

  /**
   * A lock that is in the way.
   *
   * @param type as in {@link LockArguments}; UNLOCK: there is none
   */
  record Conflict(int type, LockRange range, int pid) implements Reply {}

  Reply OK = new Errno(0);

  /** Bytes of a file that were given, or taken. */
  default long transferred() {
    return switch (this) {
      case Data(ByteBuffer bytes) -> bytes.remaining();
      case Written(int count) -> count;
      default -> 0;
    };
  }
}
