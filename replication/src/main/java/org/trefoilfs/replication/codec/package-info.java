/** Reading and writing of compact binary records, shared by wire, journal and state log. */
@NullMarked
package org.trefoilfs.replication.codec;

import org.jspecify.annotations.NullMarked;
