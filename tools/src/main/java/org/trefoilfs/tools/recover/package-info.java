/** What hosts that are gone for good take with them: surveyed, given up, and remembered. */
@NullMarked
package org.trefoilfs.tools.recover;

import org.jspecify.annotations.NullMarked;
