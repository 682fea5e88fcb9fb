/** Catch-up of returning hosts, scrubbing, rebalancing. */
@NullMarked
package org.trefoilfs.replication.heal;

import org.jspecify.annotations.NullMarked;
