package org.trefoilfs.tools.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReferencesTest {
  @TempDir Path data;

  @Test
  void eachIdCountsOnceAndIsThereForTheNextProcess() {
    References references = References.load(data, "boot");
    references.add("work", "a");
    references.add("work", "a");
    references.add("work", "b");
    references.add("other", "a");
    references.remove("work", "c");
    References next = References.load(data, "boot");
    assertThat(next.count("work")).isEqualTo(2);
    assertThat(next.count("other")).isEqualTo(1);
    next.remove("work", "a");
    next.remove("work", "b");
    assertThat(References.load(data, "boot").count("work")).isZero();
    next.retain(List.of("work"));
    assertThat(References.load(data, "boot").count("other")).isZero();
  }

  @Test
  void noneLivesThroughAStartOfTheMachine() {
    References.load(data, "boot").add("work", "a");
    assertThat(References.load(data, "next").count("work")).isZero();
  }

  @Test
  void useThatCannotBeNotedIsNone() {
    References references = References.load(data.resolve("missing"), "boot");
    assertThatThrownBy(() -> references.add("work", "a")).hasMessageContaining("cannot be written");
    assertThat(references.count("work")).isZero();
  }
}
