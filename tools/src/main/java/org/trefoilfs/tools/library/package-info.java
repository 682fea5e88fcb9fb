/** The one seam between this module and the filesystem: ports, and the adapters that fill them. */
@NullMarked
package org.trefoilfs.tools.library;

import org.jspecify.annotations.NullMarked;
