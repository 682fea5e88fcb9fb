package org.trefoilfs.mount.vfs;

import java.util.OptionalInt;
import java.util.OptionalLong;
import org.trefoilfs.mount.namespace.AttributeChange;
import org.trefoilfs.mount.namespace.AttributeChange.Times;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.replication.env.TimeSource;

/**
 * What chmod, chown, truncate and utimensat ask for; several may come at once. What is absent
 * stays.
 */
public record AttributeRequest(
    OptionalInt mode, OptionalInt uid, OptionalInt gid, OptionalLong size, TimeSettings times) {

  /** Access and modification time. */
  public record TimeSettings(TimeSetting access, TimeSetting modification) {
    public static final TimeSettings KEEP = new TimeSettings(TimeSetting.KEEP, TimeSetting.KEEP);

    boolean keep() {
      return access instanceof TimeSetting.Keep && modification instanceof TimeSetting.Keep;
    }
  }

  public static AttributeRequest truncate(long size) {
    return new AttributeRequest(
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalLong.of(size),
        TimeSettings.KEEP);
  }

  /** Without type bits, with this host's time where "now" is asked for. */
  AttributeChange resolve(TimeSource time) {
    OptionalInt permissions =
        mode.isPresent() ? OptionalInt.of(mode.getAsInt() & ~FileType.MASK) : mode;
    return new AttributeChange(
        permissions,
        uid,
        gid,
        size,
        new Times(times.access().resolve(time), times.modification().resolve(time)));
  }
}
