/**
 * What sessions may remember of the state, and how they are made to forget it before it changes.
 *
 * <p>{@link org.trefoilfs.replication.statelog.lease.ReadLeases} is the leader's side; a mount's is
 * {@code org.trefoilfs.mount.namespace.LookupCache}.
 */
@NullMarked
package org.trefoilfs.replication.statelog.lease;

import org.jspecify.annotations.NullMarked;
