package org.trefoilfs.tools.status;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SizesTest {
  @ParameterizedTest
  @CsvSource({
    "-1,?",
    "0,0 B",
    "1023,1023 B",
    "1024,1.0 KiB",
    "10239,10.0 KiB",
    "10240,10 KiB",
    "1610612736,1.5 GiB",
    "9223372036854775807,8.0 EiB"
  })
  void bytesAreShortAndUnambiguous(long bytes, String text) {
    assertThat(Sizes.bytes(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"-1,?", "0,0 s", "59,59 s", "200,3 min 20 s", "7260,2 h 1 min"})
  void secondsAreReadable(long seconds, String text) {
    assertThat(Sizes.seconds(seconds)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0,0.0 s", "1234,1.2 s", "9999,10.0 s", "10999,10 s", "200000,3 min 20 s"})
  void millisecondsAreShownWhileTheyMatter(long millis, String text) {
    assertThat(Sizes.millis(millis)).isEqualTo(text);
  }
}
