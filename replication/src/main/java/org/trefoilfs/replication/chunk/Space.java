package org.trefoilfs.replication.chunk;

/**
 * Bytes of the disk under a data directory. {@code usable} leaves out the reserve that keeps
 * deleting possible.
 */
public record Space(long total, long usable) {}
