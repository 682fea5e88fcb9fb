/** Inodes, dentries, extended attributes: the tree as a state machine on the state log. */
@NullMarked
package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.NullMarked;
