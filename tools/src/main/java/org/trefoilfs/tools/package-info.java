@NullMarked
package org.trefoilfs.tools;

import org.jspecify.annotations.NullMarked;
