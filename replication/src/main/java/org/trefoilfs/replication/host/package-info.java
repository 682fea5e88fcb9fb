/** Composition root of one host. */
@NullMarked
package org.trefoilfs.replication.host;

import org.jspecify.annotations.NullMarked;
