/** Several hosts on one machine, for a first look. */
@NullMarked
package org.trefoilfs.tools.demo;

import org.jspecify.annotations.NullMarked;
