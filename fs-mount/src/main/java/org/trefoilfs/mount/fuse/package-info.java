/** FUSE transports and the one mapping of reasons to errno. */
@NullMarked
package org.trefoilfs.mount.fuse;

import org.jspecify.annotations.NullMarked;
