/**
 * The shell around one host: its directory, its lock, its process, its configuration and its verbs.
 */
@NullMarked
package org.trefoilfs.tools.daemon;

import org.jspecify.annotations.NullMarked;
