/** Chunks on disk: identity, checksummed storage. */
@NullMarked
package org.trefoilfs.replication.chunk;

import org.jspecify.annotations.NullMarked;
