/**
 * What is said between a command line and a daemon: verbs, and their arguments and answers in JSON.
 */
@NullMarked
package org.trefoilfs.tools.admin;

import org.jspecify.annotations.NullMarked;
