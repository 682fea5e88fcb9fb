package org.trefoilfs.tools.library;

/** Inodes of a volume, and the sum of their sizes in bytes. */
public record VolumeUsage(long files, long bytes) {}
