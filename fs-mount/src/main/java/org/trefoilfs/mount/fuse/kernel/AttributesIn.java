package org.trefoilfs.mount.fuse.kernel;

import java.util.OptionalInt;
import java.util.OptionalLong;
import org.trefoilfs.mount.vfs.AttributeRequest;
import org.trefoilfs.mount.vfs.AttributeRequest.TimeSettings;
import org.trefoilfs.mount.vfs.TimeSetting;

/**
 * The body of SETATTR.
 *
 * <pre>
 *  0 u32 valid, padding   8 u64 fh       16 u64 size     24 u64 lock_owner
 * 32 u64 atime           40 u64 mtime    48 u64 ctime
 * 56 u32 atimensec       60 u32 mtimensec   64 u32 ctimensec
 * 68 u32 mode            72 u32 unused   76 u32 uid      80 u32 gid      84 u32 unused
 * </pre>
 */
final class AttributesIn {
  // FATTR_* of linux/fuse.h: which of the fields are to be set.
  private static final int MODE = 1;
  private static final int UID = 1 << 1;
  private static final int GID = 1 << 2;
  private static final int SIZE = 1 << 3;
  private static final int ATIME = 1 << 4;
  private static final int MTIME = 1 << 5;
  private static final int ATIME_NOW = 1 << 7;
  private static final int MTIME_NOW = 1 << 8;

  private AttributesIn() {}

  static AttributeRequest read(RequestFrame in) {
    int valid = in.u32();
    long size = in.skip(12).u64();
    long atime = in.skip(8).u64();
    long mtime = in.u64();
    TimeSetting accessed = TimeSetting.At.of(atime, in.skip(8).u32());
    TimeSetting modified = TimeSetting.At.of(mtime, in.u32());
    int mode = in.skip(4).u32();
    int uid = in.skip(4).u32();
    int gid = in.u32();
    return new AttributeRequest(
        number(valid, MODE, mode),
        number(valid, UID, uid),
        number(valid, GID, gid),
        (valid & SIZE) != 0 ? OptionalLong.of(size) : OptionalLong.empty(),
        new TimeSettings(
            time(valid, ATIME_NOW, ATIME, accessed), time(valid, MTIME_NOW, MTIME, modified)));
  }

  private static OptionalInt number(int valid, int bit, int value) {
    return (valid & bit) != 0 ? OptionalInt.of(value) : OptionalInt.empty();
  }

  private static TimeSetting time(int valid, int now, int set, TimeSetting at) {
    if ((valid & now) != 0) {
      return TimeSetting.NOW;
    }
    return (valid & set) != 0 ? at : TimeSetting.KEEP;
  }
}
