/** The replicated state log: submit, applied in order, linearizable read. */
@NullMarked
package org.trefoilfs.replication.statelog;

import org.jspecify.annotations.NullMarked;
