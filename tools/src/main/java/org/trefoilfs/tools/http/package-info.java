/**
 * HTTP/1.1 over Unix sockets and TCP, by Netty's codec: the one package of this module that knows
 * Netty.
 */
@NullMarked
package org.trefoilfs.tools.http;

import org.jspecify.annotations.NullMarked;
