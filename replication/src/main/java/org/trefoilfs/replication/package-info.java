@NullMarked
package org.trefoilfs.replication;

import org.jspecify.annotations.NullMarked;
