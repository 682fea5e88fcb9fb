/**
 * The spool of asynchronous commit: writes that a mounting host has acknowledged and the replicas
 * do not hold yet, in order, and how they are shipped. Pure but for {@link
 * org.trefoilfs.replication.spool.SpoolFiles}.
 */
@NullMarked
package org.trefoilfs.replication.spool;

import org.jspecify.annotations.NullMarked;
