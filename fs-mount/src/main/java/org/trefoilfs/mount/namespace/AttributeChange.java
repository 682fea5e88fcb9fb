package org.trefoilfs.mount.namespace;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A change of attributes; what is absent stays. {@code mode} is permission bits only. A change of
 * owner by the rules of chown(2) clears set-user-id and set-group-id, which the caller has folded
 * into {@code mode} where it applies.
 */
public record AttributeChange(
    OptionalInt mode, OptionalInt uid, OptionalInt gid, OptionalLong size, Times times) {
  /** Access and modification times, nanoseconds since the epoch. */
  public record Times(OptionalLong atime, OptionalLong mtime) {
    public static final Times UNCHANGED = new Times(OptionalLong.empty(), OptionalLong.empty());
  }

  public static AttributeChange mode(int mode) {
    return new AttributeChange(
        OptionalInt.of(mode),
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalLong.empty(),
        Times.UNCHANGED);
  }

  public static AttributeChange size(long size) {
    return new AttributeChange(
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalLong.of(size),
        Times.UNCHANGED);
  }

  public static AttributeChange owner(OptionalInt uid, OptionalInt gid) {
    return new AttributeChange(
        OptionalInt.empty(), uid, gid, OptionalLong.empty(), Times.UNCHANGED);
  }

  public static AttributeChange times(OptionalLong atime, OptionalLong mtime) {
    return new AttributeChange(
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalLong.empty(),
        new Times(atime, mtime));
  }
}
