package org.trefoilfs.tools.mount;

import java.util.Locale;

/** How the kernel is spoken to. */
public enum FuseTransportKind {
  /** {@link #KERNEL} where this process may use it, else {@link #LIBFUSE}. */
  AUTO,
  /** Through libfuse 2 (jnr-fuse). */
  LIBFUSE,
  /** /dev/fuse, spoken directly. */
  KERNEL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
