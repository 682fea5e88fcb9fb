package org.trefoilfs.replication.statelog.ratis;

import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Commands and their outcomes as Ratis carries them: byte 0 tells the module, or how it ended. */
final class ReplyCodec {
  private static final byte DONE = 0;
  private static final byte FAILED = 1;

  private ReplyCodec() {}

  static Message command(byte module, byte[] command) {
    return Message.valueOf(prefixed(module, command));
  }

  static Message done(byte[] reply) {
    return Message.valueOf(prefixed(DONE, reply));
  }

  static Message failed(TrefoilException failure) {
    String message = failure.getMessage();
    byte[] body =
        new ByteWriter()
            .i32(failure.reason().code())
            .string(message == null ? "" : message)
            .toBytes();
    return Message.valueOf(prefixed(FAILED, body));
  }

  /** The reply; throws what {@link #failed} recorded. */
  static byte[] open(Message message) {
    ByteString content = message.getContent();
    byte[] body = content.substring(1).toByteArray();
    if (content.byteAt(0) == DONE) {
      return body;
    }
    ByteReader in = new ByteReader(body);
    throw new TrefoilException(Reason.ofCode(in.i32()), in.string());
  }

  private static ByteString prefixed(byte first, byte[] rest) {
    byte[] bytes = new byte[rest.length + 1];
    bytes[0] = first;
    System.arraycopy(rest, 0, bytes, 1, rest.length);
    return UnsafeByteOperations.unsafeWrap(bytes);
  }
}
