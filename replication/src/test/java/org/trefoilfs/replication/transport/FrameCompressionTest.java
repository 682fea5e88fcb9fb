package org.trefoilfs.replication.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

class FrameCompressionTest {
  private final Random random = new Random(7);

  @Test
  void whatCompressesComesBack() {
    byte[] original = compressible(100_000);
    byte[] packed = compress(original);
    assertThat(packed.length).isBetween(1, 90_000);
    assertThat(FrameCompression.decompress(packed, original.length)).isEqualTo(original);
  }

  @Test
  void noiseIsLeftAsItIs() {
    byte[] noise = new byte[100_000];
    random.nextBytes(noise);
    assertThat(compress(noise)).isEmpty();
  }

  @Test
  void aPromisingStartBeforeNoiseIsLeftAsItIs() {
    byte[] mixed = new byte[200_000];
    random.nextBytes(mixed);
    Arrays.fill(mixed, 0, 5000, (byte) 0);
    assertThat(compress(mixed)).isEmpty();
  }

  @Test
  void smallPayloadsAreLeftAsTheyAre() {
    assertThat(compress(new byte[FrameCompression.PAYLOAD_MIN - 1])).isEmpty();
    assertThat(compress(new byte[FrameCompression.PAYLOAD_MIN])).isNotEmpty();
  }

  @Test
  void aDamagedBlockIsInvalidOrOfTheRightLength() {
    byte[] original = compressible(50_000);
    byte[] packed = compress(original);
    for (int i = 0; i < 500; i++) {
      byte[] damaged = packed.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        assertThat(FrameCompression.decompress(damaged, original.length)).hasSize(original.length);
      } catch (TrefoilException e) {
        assertThat(e.reason()).isEqualTo(Reason.INVALID);
      }
    }
  }

  @Test
  void aWrongLengthIsInvalid() {
    byte[] packed = compress(compressible(50_000));
    for (int length : new int[] {0, 49_999, 50_001}) {
      assertThatThrownBy(() -> FrameCompression.decompress(packed, length))
          .isInstanceOf(TrefoilException.class);
    }
  }

  private byte[] compressible(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    for (int i = 0; i < length; i++) {
      bytes[i] &= 3;
    }
    return bytes;
  }

  private static byte[] compress(byte[] original) {
    ByteBuffer direct = ByteBuffer.allocateDirect(original.length).put(original).flip();
    ByteBuffer scratch = ByteBuffer.allocateDirect(FrameCompression.probeRoom());
    if (!FrameCompression.isPromising(direct, scratch)) {
      return new byte[0];
    }
    ByteBuffer out = ByteBuffer.allocateDirect(FrameCompression.room(original.length));
    byte[] packed = new byte[FrameCompression.compress(direct, out)];
    out.get(0, packed);
    return packed;
  }
}
