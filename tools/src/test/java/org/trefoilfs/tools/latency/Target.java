package org.trefoilfs.tools.latency;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What one worker writes to, alone. Calls return when the storage has answered. */
interface Target extends Closeable {
  /** Bytes that a worker overwrites again and again, written once before anything is measured. */
  int REGION_BYTES = 8 << 20;

  void write(long offset, ByteBuffer data) throws IOException;

  /** fdatasync(2), or what it comes to. */
  void sync() throws IOException;

  @Override
  void close() throws IOException;
}
