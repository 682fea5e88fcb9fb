/** Primary-backup under views (PacificA): pure protocol, no thread, clock or socket. */
@NullMarked
package org.trefoilfs.replication.commit;

import org.jspecify.annotations.NullMarked;
