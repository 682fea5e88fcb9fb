package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.transport.Message.Lane;

/**
 * The first frame each way. The client speaks first and sends nothing more before the server's own
 * came back.
 *
 * @param software version of the program, for logs
 * @param lane what the connection will carry; the server repeats it
 */
public record Hello(LocalIdentity identity, int protocol, String software, Lane lane) {
  /** Bytes of the largest; all that an unknown peer can make a receiver hold. */
  public static final int PAYLOAD_MAX = 4 << 10;

  public static Hello of(LocalIdentity identity, Lane lane) {
    return new Hello(identity, FrameHeader.PROTOCOL_VERSION, Software.VERSION, lane);
  }

  public Payload encode() {
    ByteWriter out = new ByteWriter();
    out.string(identity.clusterId())
        .i32(protocol)
        .string(software)
        .i32(identity.hostId())
        .i64(identity.incarnation())
        .u8(codeOf(lane));
    return Payload.of(List.of(out.toBuffer()));
  }

  /**
   * Reads a hello.
   *
   * @throws TrefoilException INVALID
   */
  public static Hello decode(ByteBuffer payload) {
    ByteReader in = new ByteReader(payload);
    String clusterId = in.string();
    int protocol = in.i32();
    String software = in.string();
    LocalIdentity identity = new LocalIdentity(clusterId, in.i32(), in.i64());
    Lane lane = laneOf(in.u8());
    if (in.hasRemaining()) {
      throw new TrefoilException(Reason.INVALID, "malformed hello: bytes too many");
    }
    return new Hello(identity, protocol, software, lane);
  }

  /**
   * Why the receiver of this hello turns the peer away, if it does: a peer of another cluster must
   * not read or write here. A newcomer or a command line names no cluster and is let in.
   */
  public Optional<TrefoilException> refusalBy(LocalIdentity own) {
    String theirs = identity.clusterId();
    if (theirs.isEmpty() || theirs.equals(own.clusterId())) {
      return Optional.empty();
    }
    if (own.clusterId().isEmpty()) {
      return Optional.of(
          new TrefoilException(
              Reason.UNAVAILABLE,
              "this host belongs to no cluster yet, the peer to cluster "
                  + theirs
                  + "; try again when the host has joined it"));
    }
    return Optional.of(
        new TrefoilException(
            Reason.REFUSED,
            "this host belongs to cluster "
                + own.clusterId()
                + ", the peer to cluster "
                + theirs
                + "; check the address, or join with an empty data directory"));
  }

  private static int codeOf(Lane lane) {
    return switch (lane) {
      case CONTROL -> 0;
      case DATA -> 1;
      case BULK -> 2;
      case WRITE -> 3;
      case COMMIT -> 4;
    };
  }

  private static Lane laneOf(int code) {
    return switch (code) {
      case 0 -> Lane.CONTROL;
      case 1 -> Lane.DATA;
      case 2 -> Lane.BULK;
      case 3 -> Lane.WRITE;
      case 4 -> Lane.COMMIT;
      default -> throw new TrefoilException(Reason.INVALID, "malformed hello: lane " + code);
    };
  }
}
