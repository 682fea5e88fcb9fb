/** From (inode, offset, length) to what the volume port takes. */
@NullMarked
package org.trefoilfs.mount.layout;

import org.jspecify.annotations.NullMarked;
