package org.trefoilfs.mount.vfs;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.trefoilfs.mount.namespace.AccessLists;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Which extended attributes are stored, and who sees them (xattr(7)). */
final class XattrPolicy {
  private static final byte[] TRUSTED = bytes("trusted.");
  private static final List<byte[]> STORED = List.of(bytes("user."), bytes("security."), TRUSTED);

  private final boolean accessLists;

  /**
   * @param accessLists whether the kernel checks them: one that is kept and not checked would be a
   *     lie about access
   */
  XattrPolicy(boolean accessLists) {
    this.accessLists = accessLists;
  }

  /** Fails with NOT_SUPPORTED for what is not stored. */
  void check(byte[] name) {
    if (CommitRule.isNamedBy(name) || (accessLists && AccessLists.isNamedBy(name))) {
      return;
    }
    for (byte[] prefix : STORED) {
      if (startsWith(name, prefix)) {
        return;
      }
    }
    throw new TrefoilException(
        Reason.NOT_SUPPORTED,
        "extended attribute "
            + new String(name, StandardCharsets.ISO_8859_1)
            + " is not supported; user.*, security.*, trusted.* and "
            + CommitRule.ATTRIBUTE
            + " are, and with -o acl access control lists");
  }

  /** Attributes of trusted.* are shown to the superuser alone. */
  static boolean visible(byte[] name, Caller caller) {
    return caller.isRoot() || !startsWith(name, TRUSTED);
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length > prefix.length
        && java.util.Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
