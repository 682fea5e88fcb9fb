/** What each POSIX call means; the only place that decides. */
@NullMarked
package org.trefoilfs.mount.vfs;

import org.jspecify.annotations.NullMarked;
