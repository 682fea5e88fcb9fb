package org.trefoilfs.tools.library;

import java.util.HexFormat;

/** Digests as people compare them. */
final class Digests {
  private Digests() {}

  static String text(long digest) {
    return HexFormat.of().toHexDigits(digest);
  }
}
