package org.trefoilfs.tools.latency;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of a mount: what a program sees, FUSE included. */
final class FileTarget implements Target {
  private final FileChannel file;

  FileTarget(Path path) throws IOException {
    file =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
  }

  @Override
  public void write(long offset, ByteBuffer data) throws IOException {
    ByteBuffer left = data.duplicate();
    while (left.hasRemaining()) {
      file.write(left, offset + left.position());
    }
  }

  @Override
  public void sync() throws IOException {
    file.force(false);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
