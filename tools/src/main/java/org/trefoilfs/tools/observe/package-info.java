/**
 * What a host shows over HTTP to those who watch it: metrics for Prometheus, health for
 * orchestrators, and a page for people.
 */
@NullMarked
package org.trefoilfs.tools.observe;

import org.jspecify.annotations.NullMarked;
