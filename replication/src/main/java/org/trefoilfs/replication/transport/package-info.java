/** Messages between hosts, their frames and codec, and the Netty adapter. */
@NullMarked
package org.trefoilfs.replication.transport;

import org.jspecify.annotations.NullMarked;
