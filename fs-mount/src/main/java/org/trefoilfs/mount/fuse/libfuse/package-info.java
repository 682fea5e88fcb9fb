/**
 * FUSE through libfuse 2.9 by jnr-fuse's structures and jnr-ffi. Its low-level interface is used,
 * which speaks of inodes as the kernel does: names are bytes of any encoding, an open file stays
 * itself when another mount renames or unlinks it, and there are no {@code .fuse_hidden} files.
 */
@NullMarked
package org.trefoilfs.mount.fuse.libfuse;

import org.jspecify.annotations.NullMarked;
