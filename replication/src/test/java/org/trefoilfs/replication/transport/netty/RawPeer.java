package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;
import org.trefoilfs.replication.transport.MessageCodec;

/** A plain socket that can say anything. */
final class RawPeer implements AutoCloseable {
  private final Socket socket;
  private final DataInputStream in;

  RawPeer(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(5000);
    in = new DataInputStream(socket.getInputStream());
  }

  static RawPeer connect(Address to) throws IOException {
    return new RawPeer(new Socket(to.host(), to.port()));
  }

  /** Connects and shakes hands. */
  static RawPeer greeted(Address to, Lane lane) throws IOException {
    RawPeer peer = connect(to);
    peer.send(bytes(FrameWriter.hello(Hello.of(LocalIdentity.CLIENT, lane))));
    Received hello = peer.receive().orElseThrow();
    if (hello.header().type() != FrameHeader.TYPE_HELLO) {
      throw new IOException("not greeted: " + hello);
    }
    return peer;
  }

  static byte[] request(Message message, long requestId) {
    return bytes(FrameWriter.message(message, requestId, 0, FrameWriter.Compress.NO));
  }

  static byte[] bytes(ByteBuf frame) {
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes).release();
    return bytes;
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  /** The next frame; empty when the peer closed the connection. */
  Optional<Received> receive() throws IOException {
    try {
      byte[] head = new byte[FrameHeader.BYTES];
      in.readFully(head);
      FrameHeader header = FrameHeader.readFrom(ByteBuffer.wrap(head), FrameHeader.PAYLOAD_MAX);
      byte[] payload = new byte[header.length()];
      in.readFully(payload);
      return Optional.of(new Received(header, payload));
    } catch (EOFException | SocketException closed) {
      return Optional.empty();
    }
  }

  record Received(FrameHeader header, byte[] payload) {
    Message message() {
      return MessageCodec.decode(header.type(), ByteBuffer.wrap(payload));
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
