package org.trefoilfs.mount.namespace;

/** A name in a directory, with the attributes of what it names. */
public record Dentry(byte[] name, Attributes attributes) {}
