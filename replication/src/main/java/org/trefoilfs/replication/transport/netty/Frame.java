package org.trefoilfs.replication.transport.netty;

import java.nio.ByteBuffer;
import org.trefoilfs.replication.transport.FrameHeader;

/**
 * A received frame, its checksum verified.
 *
 * @param payload on the heap, uncompressed; nobody else holds it
 */
record Frame(FrameHeader header, ByteBuffer payload) {}
