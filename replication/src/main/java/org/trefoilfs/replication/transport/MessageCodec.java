package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;

/** Messages as bytes. What a frame carries beside its type. */
public final class MessageCodec {
  /**
   * Most elements of a map or list in one message: four pools of placement groups at their largest.
   * An element costs about ten times its encoded size in memory, which this bounds.
   */
  static final int ELEMENTS_MAX = 4 << 16;

  private MessageCodec() {}

  /**
   * The message's fields. Large ones are views of the message's own buffers, which must not change
   * before the payload has been used.
   *
   * @throws TrefoilException TOO_LARGE for a collection of more than {@link #ELEMENTS_MAX}
   */
  public static Payload encode(Message message) {
    GatheringWriter out = new GatheringWriter();
    MessageEncoder.encode(message, out);
    return out.toPayload();
  }

  /**
   * Reads a message; its data are views of {@code payload}.
   *
   * @param typeCode see {@link MessageType#code}, 0 to 255
   * @throws TrefoilException INVALID for whatever {@link #encode} could not have written
   */
  public static Message decode(int typeCode, ByteBuffer payload) {
    MessageType type = MessageType.ofCode(typeCode);
    if (type == null) {
      throw new TrefoilException(Reason.INVALID, "unknown message type " + typeCode);
    }
    ByteReader in = new ByteReader(payload);
    Message message = MessageDecoder.decode(type, in);
    if (in.hasRemaining()) {
      throw new TrefoilException(
          Reason.INVALID, "malformed " + type + ": " + in.remaining() + " bytes too many");
    }
    return message;
  }
}
