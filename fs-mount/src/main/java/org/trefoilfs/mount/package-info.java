@NullMarked
package org.trefoilfs.mount;

import org.jspecify.annotations.NullMarked;
