/** The port through which fs-mount reads and writes chunks. */
@NullMarked
package org.trefoilfs.replication.volume;

import org.jspecify.annotations.NullMarked;
