package org.trefoilfs.mount.fuse.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On which kernels it is used unless something else is wanted. */
final class KernelTransportTest {
  @ParameterizedTest
  @CsvSource({
    "4.19.0-26-amd64, false",
    "4.20.0, true",
    "4.9.337, false",
    "5.4.0-1-generic, true",
    "6.18.5, true",
    "10.1, true",
    "3.10.0-1160.el7, false",
    "unknown, false",
    "'', false"
  })
  void kernelsOfFuse728AreRecentEnough(String release, boolean recent) {
    assertThat(KernelTransport.isRecent(release)).isEqualTo(recent);
  }
}
