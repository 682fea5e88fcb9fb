/** Hosts, incarnations, volumes, sessions: the cluster as the state log records it. */
@NullMarked
package org.trefoilfs.replication.membership;

import org.jspecify.annotations.NullMarked;
