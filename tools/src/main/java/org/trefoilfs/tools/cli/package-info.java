/** The trefoil command. */
@NullMarked
package org.trefoilfs.tools.cli;

import org.jspecify.annotations.NullMarked;
