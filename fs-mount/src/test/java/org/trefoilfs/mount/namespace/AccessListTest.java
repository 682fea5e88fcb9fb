package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists as the kernel writes them. */
final class AccessListTest {
  private static final String NONE = "ffffffff";
  private static final String MINIMAL =
      "02000000" + "01000600" + NONE + "04000400" + NONE + "20000000" + NONE;

  private final long seed = Long.getLong("seed", System.nanoTime());

  @Test
  void minimalListIsAMode() {
    AccessList list = parse(MINIMAL);
    assertThat(list.isMode()).isTrue();
    assertThat(list.mode(0102777)).isEqualTo(0102640);
    assertThat(HexFormat.of().formatHex(list.toXattr())).isEqualTo(MINIMAL);
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "",
        "020000",
        "03000000",
        "0200000001000600", // cut short, or of another version
        "02000000" + "01000600" + NONE, // no group, no other
        "02000000" + "04000400" + NONE + "01000600" + NONE + "20000000" + NONE, // out of order
        "02000000" + "01000600" + NONE + "01000600" + NONE + "04000400" + NONE + "20000000" + NONE,
        "02000000" + "01000800" + NONE + "04000400" + NONE + "20000000" + NONE, // permission 8
        "02000000" + "01000600" + NONE + "02000600e8030000" + "04000400" + NONE + "20000000" + NONE,
        "02000000" + "01000600" + NONE + "03000400" + NONE + "20000000" + NONE, // tag 3
        "02000000" + "01000600" + NONE + "04000400" + NONE + "40000000" + NONE // tag 64
      })
  void malformedListsAreRefused(String hex) {
    assertThatThrownBy(() -> parse(hex)).isInstanceOf(Refusal.class);
  }

  @Test
  void listAndModeAlwaysAgree() {
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      AccessList list = random(random);
      int mode = random.nextInt(010000);
      AccessList changed = list.chmod(mode);
      assertThat(changed.mode(mode)).as("seed %d", seed).isEqualTo(mode);
      AccessList created = list.created(mode);
      assertThat(created.mode(mode)).as("seed %d", seed).isEqualTo(mode & list.mode(mode));
      assertThat(AccessList.parse(changed.toXattr())).isEqualTo(changed);
    }
  }

  private static AccessList random(Random random) {
    List<AccessList.Entry> entries = new ArrayList<>();
    boolean named = random.nextBoolean();
    entries.add(new AccessList.Entry(0x01, random.nextInt(8), -1));
    if (named) {
      entries.add(new AccessList.Entry(0x02, random.nextInt(8), random.nextInt()));
    }
    entries.add(new AccessList.Entry(0x04, random.nextInt(8), -1));
    if (named) {
      entries.add(new AccessList.Entry(0x08, random.nextInt(8), random.nextInt()));
      entries.add(new AccessList.Entry(0x10, random.nextInt(8), -1));
    }
    entries.add(new AccessList.Entry(0x20, random.nextInt(8), -1));
    return new AccessList(entries);
  }

  private static AccessList parse(String hex) {
    return AccessList.parse(HexFormat.of().parseHex(hex));
  }
}
