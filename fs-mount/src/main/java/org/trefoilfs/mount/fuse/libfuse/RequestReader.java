package org.trefoilfs.mount.fuse.libfuse;

import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.OptionalLong;
import jnr.ffi.Pointer;
import org.trefoilfs.mount.vfs.AttributeRequest;
import org.trefoilfs.mount.vfs.AttributeRequest.TimeSettings;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.mount.vfs.TimeSetting;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Timespec;

/** Reads what libfuse hands over; everything is copied, as its memory is used again. */
final class RequestReader {
  // FUSE_SET_ATTR_* of fuse_lowlevel.h.
  private static final int MODE = 1;
  private static final int UID = 1 << 1;
  private static final int GID = 1 << 2;
  private static final int SIZE = 1 << 3;
  private static final int ATIME = 1 << 4;
  private static final int MTIME = 1 << 5;
  private static final int ATIME_NOW = 1 << 7;
  private static final int MTIME_NOW = 1 << 8;

  private final Libfuse library;

  RequestReader(Libfuse library) {
    this.library = library;
  }

  /** {@code struct fuse_ctx}: uid, gid, pid, umask. */
  Caller caller(long request) {
    Pointer context = library.fuse_req_ctx(request);
    return new Caller(context.getInt(0), context.getInt(4));
  }

  int pid(long request) {
    return library.fuse_req_ctx(request).getInt(8);
  }

  static byte[] name(Pointer name) {
    return bytes(name, name.indexOf(0, (byte) 0));
  }

  static byte[] bytes(Pointer from, long length) {
    byte[] copy = new byte[Math.toIntExact(length)];
    if (length > 0) {
      from.get(0, copy, 0, copy.length);
    }
    return copy;
  }

  static ByteBuffer data(Pointer from, long length) {
    return ByteBuffer.wrap(bytes(from, length));
  }

  static AttributeRequest attributes(Pointer memory, int which) {
    FileStat stat = FileStat.of(memory);
    return new AttributeRequest(
        (which & MODE) != 0 ? OptionalInt.of(stat.st_mode.intValue()) : OptionalInt.empty(),
        (which & UID) != 0 ? OptionalInt.of(stat.st_uid.intValue()) : OptionalInt.empty(),
        (which & GID) != 0 ? OptionalInt.of(stat.st_gid.intValue()) : OptionalInt.empty(),
        (which & SIZE) != 0 ? OptionalLong.of(stat.st_size.longValue()) : OptionalLong.empty(),
        new TimeSettings(
            time(which, ATIME_NOW, ATIME, stat.st_atim),
            time(which, MTIME_NOW, MTIME, stat.st_mtim)));
  }

  private static TimeSetting time(int which, int now, int set, Timespec value) {
    if ((which & now) != 0) {
      return TimeSetting.NOW;
    }
    return (which & set) != 0
        ? TimeSetting.At.of(value.tv_sec.get(), value.tv_nsec.longValue())
        : TimeSetting.KEEP;
  }
}
