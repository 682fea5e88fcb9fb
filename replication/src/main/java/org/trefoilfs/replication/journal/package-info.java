/** The write-ahead journal, one per disk, shared by all placement groups. */
@NullMarked
package org.trefoilfs.replication.journal;

import org.jspecify.annotations.NullMarked;
