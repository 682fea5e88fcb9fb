package org.trefoilfs.mount.vfs;

/** What statfs(2) shows of a volume's room: bytes after replication, and inodes. */
public record Capacity(long totalBytes, long freeBytes, long totalInodes, long freeInodes) {}
