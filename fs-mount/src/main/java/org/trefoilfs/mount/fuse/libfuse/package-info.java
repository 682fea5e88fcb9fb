/**
 * FUSE through libfuse 2.9 by jnr-fuse's structures and jnr-ffi: LibfuseTransport mounts,
 * LibfuseSession's threads read requests, Requests answers each through the one wrapper Calls,
 * Replies sends.
 *
 * <p>libfuse's low-level interface is used, not the path-based one that jnr-fuse wraps: it speaks
 * of inodes as the kernel does. So names are bytes of any encoding, an open file stays itself when
 * another mount renames or unlinks it, there are no {@code .fuse_hidden} files, directories are
 * read by position, and kernel caches could be invalidated. The threads are Java's, so calls need
 * not attach to the virtual machine each time.
 *
 * <p>What libfuse 2.9 (protocol 7.19) cannot: renameat2 with flags (EINVAL), requests beyond 128
 * KiB, parallel direct writes to one file, shared mappings together with direct I/O (mount with
 * {@code page_cache} for those).
 */
@NullMarked
package org.trefoilfs.mount.fuse.libfuse;

import org.jspecify.annotations.NullMarked;
