package org.trefoilfs.mount.fuse.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Builds requests as the kernel lays them out. */
final class Frames {
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();

  Frames u32(int... values) {
    for (int value : values) {
      bytes(ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array());
    }
    return this;
  }

  Frames u64(long... values) {
    for (long value : values) {
      bytes(ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(value).array());
    }
    return this;
  }

  Frames name(String name) {
    return bytes((name + "\0").getBytes(UTF_8));
  }

  Frames bytes(byte[] bytes) {
    body.writeBytes(bytes);
    return this;
  }

  /** With this body, from the user 10 and the group 20. */
  byte[] request(int opcode, long unique, long node) {
    ByteBuffer frame =
        ByteBuffer.allocate(RequestFrame.HEADER + body.size()).order(ByteOrder.nativeOrder());
    frame.putInt(frame.capacity()).putInt(opcode).putLong(unique).putLong(node);
    frame.putInt(10).putInt(20).putInt(30).putInt(0);
    return frame.put(body.toByteArray()).array();
  }

  static byte[] init(int major, int minor) {
    return new Frames().u32(major, minor, 131072, -1).bytes(new byte[48]).request(26, 1, 0);
  }
}
