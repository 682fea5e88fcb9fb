package org.trefoilfs.mount.namespace;

/** A lock that a mount's earlier session had, and its next one has. */
public record InheritedLock(long inode, HeldLock lock) {}
