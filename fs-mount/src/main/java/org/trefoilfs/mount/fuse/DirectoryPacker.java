package org.trefoilfs.mount.fuse;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.mount.vfs.Vfs;

/**
 * Fills a READDIR reply with {@code struct fuse_dirent} (include/uapi/linux/fuse.h): u64 ino, u64
 * off, u32 length of name, u32 type, name, padding to 8 bytes. {@code off} is the position of what
 * comes next: 1 after ".", 2 after "..", then as the directory counts.
 */
final class DirectoryPacker {
  private static final int HEADER = 24;
  private static final int DOTS = 2;
  private static final byte[] DOT = ".".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DOT_DOT = "..".getBytes(StandardCharsets.US_ASCII);

  /** FUSE_UNKNOWN_INO: which directory this one is in is not known here. */
  private static final long UNKNOWN = 0xffffffffL;

  private final ByteBuffer out;
  private HandleTable.@Nullable Place last;

  private DirectoryPacker(int size) {
    out = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  static ByteBuffer pack(Vfs vfs, long handle, long inode, long offset, int size) {
    DirectoryPacker packer = new DirectoryPacker(size);
    packer.fill(vfs, handle, inode, offset);
    if (packer.last != null) {
      vfs.toldOf(handle, packer.last);
    }
    return packer.out.flip();
  }

  private void fill(Vfs vfs, long handle, long inode, long offset) {
    long next = offset;
    int directory = FileType.DIRECTORY.bits();
    if (next == 0 && add(DOT, inode, directory, ++next) < 0) {
      return;
    }
    if (next == 1 && add(DOT_DOT, UNKNOWN, directory, ++next) < 0) {
      return;
    }
    while (true) {
      List<Dentry> page = vfs.readDirectory(handle, inode, next - DOTS);
      if (page.isEmpty()) {
        return;
      }
      for (Dentry entry : page) {
        long shown = entry.attributes().inode();
        if (add(entry.name(), shown, entry.attributes().mode(), next + 1) < 0) {
          return;
        }
        next++;
        last = new HandleTable.Place(next - DOTS, entry.name());
      }
    }
  }

  /** Bytes used, or -1 when there is no room. */
  private int add(byte[] name, long inode, int mode, long next) {
    int used = (HEADER + name.length + 7) & ~7;
    if (out.remaining() < used) {
      return -1;
    }
    int start = out.position();
    out.putLong(inode).putLong(next).putInt(name.length).putInt((mode & FileType.MASK) >> 12);
    out.put(name);
    out.position(start + used);
    return used;
  }
}
