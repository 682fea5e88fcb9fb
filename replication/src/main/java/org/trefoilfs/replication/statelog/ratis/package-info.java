/** The state log on Apache Ratis: the only package that imports it. */
@NullMarked
package org.trefoilfs.replication.statelog.ratis;

import org.jspecify.annotations.NullMarked;
