package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;

/** Consecutive allocated bytes of a chunk, block-aligned. */
public record Extent(int offset, ByteBuffer data) {}
