package org.trefoilfs.mount.namespace;

/**
 * Whose lock it is.
 *
 * @param id the kernel's number for the process or open file description, at the session's mount
 */
public record LockOwner(long session, LockKind kind, long id) {}
