/**
 * Mount points of this machine: what may be mounted where, who mounted it, and how to take it off.
 */
@NullMarked
package org.trefoilfs.tools.mount;

import org.jspecify.annotations.NullMarked;
