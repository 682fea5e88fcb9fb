package org.trefoilfs.tools.coherence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ObjectHistoryTest {
  private final ObjectHistory history = new ObjectHistory("name", ObjectHistory.ABSENT);

  @Test
  void whatHappensOneAfterTheOtherFits() {
    history.begin("a").created(1);
    history.begin("b").read(1);
    history.begin("b").wrote(2);
    history.begin("a").foundPresent();
    history.begin("a").taken(2);
    history.begin("b").read(ObjectHistory.ABSENT);
    assertThat(history.violation()).isEmpty();
  }

  @Test
  void whatHappensAtOnceMayHaveHappenedInEitherOrder() {
    ObjectHistory.Call write = history.begin("a");
    history.begin("b").read(ObjectHistory.ABSENT);
    history.begin("b").read(7);
    write.wrote(7);
    assertThat(history.violation()).isEmpty();
  }

  @Test
  void staleReadIsNoticed() {
    history.begin("a").wrote(1);
    history.begin("a").wrote(2);
    history.begin("b").read(1);
    assertThat(history.violation()).get().asString().containsPattern(" >.*b: is 1");
  }

  @Test
  void readThatGoesBackIsNoticed() {
    ObjectHistory.Call write = history.begin("a");
    history.begin("b").read(7);
    history.begin("c").read(ObjectHistory.ABSENT);
    write.wrote(7);
    assertThat(history.violation()).isPresent();
  }

  @Test
  void nameThatTwoTakeIsNoticed() {
    history.begin("a").created(1);
    ObjectHistory.Call one = history.begin("a");
    ObjectHistory.Call other = history.begin("b");
    one.taken(1);
    other.taken(1);
    assertThat(history.violation()).isPresent();
  }

  @Test
  void creationOverWhatIsThereIsNoticed() {
    history.begin("a").created(1);
    history.begin("b").created(2);
    assertThat(history.violation()).isPresent();
  }

  @Test
  void longHistoryOfManyAtOnceIsCheckedSoonAndOneStaleReadInItIsNoticed() {
    Random random = new Random(5);
    long state = ObjectHistory.ABSENT;
    long earlier = -1;
    ObjectHistory.Call[] open = new ObjectHistory.Call[8];
    for (long i = 1; i <= 3_000; i++) {
      int who = random.nextInt(open.length);
      if (open[who] == null) {
        open[who] = history.begin("m" + who);
      } else if (random.nextInt(4) == 0) {
        open[who].wrote(i);
        earlier = state;
        state = i;
        open[who] = null;
      } else {
        open[who].read(state);
        open[who] = null;
      }
    }
    assertThat(history.violation()).isEmpty();
    history.begin("late").read(earlier);
    assertThat(history.violation()).isPresent();
  }
}
