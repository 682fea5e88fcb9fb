/** Programs on several mounts at once, and whether what they saw is what one file tree shows. */
@NullMarked
package org.trefoilfs.tools.coherence;

import org.jspecify.annotations.NullMarked;
