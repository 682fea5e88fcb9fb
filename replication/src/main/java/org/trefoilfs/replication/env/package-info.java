/**
 * Ports for what a simulation must own, time and randomness; and small files that outlive a loss of
 * power.
 */
@NullMarked
package org.trefoilfs.replication.env;

import org.jspecify.annotations.NullMarked;
