package org.trefoilfs.replication.statelog.rocks;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Keys in the one column family: the module's id, then the module's key. */
final class Keys {
  /** Id 0 belongs to the store itself. */
  static final byte[] APPLIED = {0, 'a'};

  private Keys() {}

  static byte[] stored(byte module, byte[] key) {
    byte[] stored = new byte[key.length + 1];
    stored[0] = module;
    System.arraycopy(key, 0, stored, 1, key.length);
    return stored;
  }

  static byte[] ofModule(byte[] stored) {
    return Arrays.copyOfRange(stored, 1, stored.length);
  }

  static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.mismatch(key, 0, prefix.length, prefix, 0, prefix.length) < 0;
  }

  static byte[] max(byte[] a, byte[] b) {
    return Arrays.compareUnsigned(a, b) >= 0 ? a : b;
  }

  /** The least key above every key with this prefix; null when there is none. */
  static byte @Nullable [] after(byte[] prefix) {
    for (int i = prefix.length - 1; i >= 0; i--) {
      if (prefix[i] != (byte) 0xff) {
        byte[] end = Arrays.copyOf(prefix, i + 1);
        end[i]++;
        return end;
      }
    }
    return null;
  }

  /** The least key above this one. */
  static byte[] next(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }
}
