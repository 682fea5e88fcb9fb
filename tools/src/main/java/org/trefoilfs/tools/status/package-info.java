/** What the cluster's state means: counted, judged and drawn. */
@NullMarked
package org.trefoilfs.tools.status;

import org.jspecify.annotations.NullMarked;
