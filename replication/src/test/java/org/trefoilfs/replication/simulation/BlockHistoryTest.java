package org.trefoilfs.replication.simulation;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BlockHistoryTest {
  private final BlockHistory history = new BlockHistory();

  private void write(long value, long begun, long ended) {
    history.begins(value, begun);
    history.written(value, ended);
  }

  private void holds() {
    assertThatCode(() -> history.check("block")).doesNotThrowAnyException();
  }

  private void isRefused() {
    assertThatThrownBy(() -> history.check("block")).isInstanceOf(Violation.class);
  }

  @Test
  void concurrentWritesMayTakeEffectInEitherOrder() {
    write(1, 10, 40);
    write(2, 20, 30);
    history.read(1, 50, 60);
    holds();
  }

  @Test
  void overwrittenValueIsNotReadAgain() {
    write(1, 10, 20);
    write(2, 30, 40);
    history.read(1, 50, 60);
    isRefused();
  }

  @Test
  void valuesDoNotAlternate() {
    write(1, 10, 100);
    write(2, 10, 100);
    history.read(1, 110, 120);
    history.read(2, 130, 140);
    isRefused();
  }

  @Test
  void unacknowledgedWriteMayBeReadAndStaysThen() {
    history.begins(1, 10);
    history.read(1, 20, 30);
    history.read(0, 40, 50);
    isRefused();
  }

  @Test
  void whatWasNeverWrittenIsNotRead() {
    assertThatThrownBy(() -> history.read(7, 10, 20)).isInstanceOf(Violation.class);
  }

  @Test
  void afterALossOneOfTheOldValuesIsThere() {
    write(1, 10, 20);
    write(2, 30, 40);
    history.mayBeLost(50);
    history.read(1, 60, 70);
    history.read(1, 80, 90);
    holds();
    history.read(2, 100, 110);
    isRefused();
  }
}
