/** Ports for what a simulation must own: time and randomness. */
@NullMarked
package org.trefoilfs.replication.env;

import org.jspecify.annotations.NullMarked;
