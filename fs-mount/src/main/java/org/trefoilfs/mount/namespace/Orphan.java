package org.trefoilfs.mount.namespace;

/**
 * An inode without a name.
 *
 * @param sequence its number among all orphans, in the order in which they became so
 * @param size bytes within which its chunks lie; 0 when it can have none
 */
public record Orphan(long sequence, int volume, long inode, long size) {}
