package org.trefoilfs.mount.fuse.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.vfs.HandleTable.Open;

class SharedHandlesTest {
  private final int memory = ProcessCalls.memory("test");

  @AfterEach
  void close() {
    Native.close(memory);
  }

  @Test
  void nextProcessFindsWhatWasOpenedAndNotClosed() {
    SharedHandles first = new SharedHandles(memory);
    assertThat(first.left()).isEmpty();
    for (int i = 1; i <= 100; i++) {
      first.opened(new Open(i, 1_000 + i, 2_000 + i));
    }
    for (int i = 1; i <= 100; i++) {
      if (i != 7 && i != 100) {
        first.closed(i);
      }
    }
    SharedHandles second = new SharedHandles(memory);
    Open seventh = new Open(7, 1_007, 2_007);
    assertThat(second.left()).containsExactly(seventh, new Open(100, 1_100, 2_100));
    assertThat(second.before()).isGreaterThan(100);

    Open own = new Open(second.before() + 1, 5, 6);
    second.opened(own);
    second.closed(100);
    SharedHandles third = new SharedHandles(memory);
    assertThat(third.left()).containsExactlyInAnyOrder(seventh, own);
    assertThat(third.before()).isGreaterThan(own.handle());
  }
}
