/** The state of the log's modules in RocksDB. */
@NullMarked
package org.trefoilfs.replication.statelog.rocks;

import org.jspecify.annotations.NullMarked;
