package org.trefoilfs.replication.transport.netty;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.TransportOptions.Compression;

/**
 * Round trips over loopback, client and server in one process. Run by hand: {@code java -cp ...
 * TransportBenchmark}. Prints rate, p50 and p99.
 */
final class TransportBenchmark {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Transport.Handler HANDLER =
      (request, reply) ->
          reply.send(
              request instanceof Message.Prepare prepare
                  ? new Message.Prepared(prepare.pg(), prepare.view(), prepare.n())
                  : request);

  private TransportBenchmark() {}

  public static void main(String[] args) throws Exception {
    byte[] noise = new byte[128 << 10];
    new Random(1).nextBytes(noise);
    byte[] text = new byte[128 << 10];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) ("the quick brown fox ".charAt(i % 20) + (noise[i] & 1));
    }
    TransportOptions plain = TransportOptions.DEFAULT;
    TransportOptions packed = plain.withCompression(Compression.EVERY_PEER);
    for (int round = 0; round < 2; round++) {
      run("tiny", plain, new Message.Written(1, 2), 1, 40_000);
      run("tiny", plain, new Message.Written(1, 2), 64, 400_000);
      run("prepare 4 KiB", plain, prepare(Arrays.copyOf(noise, 4096)), 16, 100_000);
      run("prepare 128 KiB", plain, prepare(noise), 8, 20_000);
      run("prepare 128 KiB, noise, lz4", packed, prepare(noise), 8, 20_000);
      run("prepare 128 KiB, text, lz4", packed, prepare(text), 8, 20_000);
    }
  }

  private static Message prepare(byte[] data) {
    return new Message.Prepare(
        1,
        2,
        3,
        4,
        new OperationId(5, 6),
        new Mutation.Write(new ChunkId(7, 8), 0, ByteBuffer.wrap(data)));
  }

  private static void run(
      String what, TransportOptions options, Message message, int depth, int count)
      throws Exception {
    LocalIdentity self = new LocalIdentity("bench", 1, 1);
    try (NettyServer server =
            NettyServer.start(new Address("127.0.0.1", 0), HANDLER, () -> self, options);
        NettyTransport client = new NettyTransport(() -> self, options)) {
      Semaphore window = new Semaphore(depth);
      long[] ns = new long[count];
      long startNs = System.nanoTime();
      for (int i = 0; i < count; i++) {
        window.acquire();
        int index = i;
        long sentNs = System.nanoTime();
        var _ =
            client
                .call(server.address(), message, PATIENCE)
                .whenComplete(
                    (_, failure) -> {
                      if (failure != null) {
                        failure.printStackTrace();
                      }
                      ns[index] = System.nanoTime() - sentNs;
                      window.release();
                    });
      }
      window.acquire(depth);
      double seconds = (System.nanoTime() - startNs) / 1e9;
      Arrays.sort(ns);
      long bytes =
          message instanceof Message.Prepare prepare
              ? ((Mutation.Write) prepare.mutation()).data().remaining()
              : 0;
      System.out.printf(
          "%-28s depth %2d: %,8.0f/s  p50 %4d us  p99 %5d us  %,6.0f MB/s%n",
          what,
          depth,
          count / seconds,
          ns[count / 2] / 1000,
          ns[count * 99 / 100] / 1000,
          bytes * (double) count / seconds / 1e6);
    }
  }
}
