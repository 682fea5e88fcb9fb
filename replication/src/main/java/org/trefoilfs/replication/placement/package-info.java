/** Which hosts hold which placement group, in which view. */
@NullMarked
package org.trefoilfs.replication.placement;

import org.jspecify.annotations.NullMarked;
