/**
 * What a daemon does in its life, played once after the build, so that the JVM need not learn it
 * again at each start.
 */
@NullMarked
package org.trefoilfs.tools.rehearsal;

import org.jspecify.annotations.NullMarked;
