/** The Netty adapter of the transport port: the only package that imports io.netty. */
@NullMarked
package org.trefoilfs.replication.transport.netty;

import org.jspecify.annotations.NullMarked;
