package org.trefoilfs.mount.namespace;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.commit.CommitMode;

/**
 * How writes to a file are committed: as its volume says, or as the extended attribute {@link
 * #ATTRIBUTE} of the directory said that it was made in.
 */
public enum CommitRule {
  VOLUME,
  SYNC,
  ASYNC;

  /** Set on a directory or file; what is made in a directory has the directory's. */
  public static final String ATTRIBUTE = "trefoil.commit";

  private static final byte[] NAME = ATTRIBUTE.getBytes(StandardCharsets.US_ASCII);

  /** What holds for a file with this rule in a volume of that mode. */
  public CommitMode in(CommitMode volume) {
    return switch (this) {
      case VOLUME -> volume;
      case SYNC -> CommitMode.SYNC;
      case ASYNC -> CommitMode.ASYNC;
    };
  }

  public static boolean isNamedBy(byte[] attribute) {
    return java.util.Arrays.equals(attribute, NAME);
  }

  /** The rule that an attribute's value names; null when it names none. */
  public static @Nullable CommitRule named(byte[] value) {
    return switch (new String(value, StandardCharsets.US_ASCII)) {
      case "sync" -> SYNC;
      case "async" -> ASYNC;
      default -> null;
    };
  }

  /** The attribute's value; of {@link #VOLUME} there is none. */
  byte[] value() {
    return name().toLowerCase(java.util.Locale.ROOT).getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] attributeName() {
    return NAME.clone();
  }

  static CommitRule ofCode(int code) {
    return switch (code) {
      case 0 -> VOLUME;
      case 1 -> SYNC;
      case 2 -> ASYNC;
      default -> throw Codec.malformed("unknown commit rule " + code);
    };
  }

  int code() {
    return ordinal();
  }
}
