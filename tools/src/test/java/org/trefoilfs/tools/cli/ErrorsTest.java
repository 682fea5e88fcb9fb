package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.support.StubLibrary;

class ErrorsTest {
  private final StringWriter err = new StringWriter();
  private final Errors errors =
      new Errors(
          new Context(
              new StubLibrary(),
              "none",
              new Context.Streams(new PrintWriter(err), new PrintWriter(err)),
              new Context.Machine(Map.of(), null, null, "trefoil")),
          new GlobalOptions());

  @ParameterizedTest
  @CsvSource({
    "INVALID,2",
    "UNAVAILABLE,3",
    "NOT_FOUND,4",
    "EXISTS,5",
    "BUSY,5",
    "NOT_SUPPORTED,6",
    "OUTCOME_UNKNOWN,1",
    "NOT_EMPTY,1",
    "INTERNAL,1",
    "NO_SPACE,1"
  })
  void eachReasonHasItsExitStatus(Reason reason, int status) {
    assertThat(errors.report(new TrefoilException(reason, "x"))).isEqualTo(status);
  }

  @Test
  void messageIsOneLine() {
    errors.report(new TrefoilException(Reason.IO, "disk: broken\n  really\r\n; replace it\n"));
    assertThat(err.toString()).isEqualTo("trefoil: disk: broken really ; replace it\n");
  }

  @Test
  void wrappersAreTakenOff() {
    errors.report(new CompletionException(new TrefoilException(Reason.NOT_FOUND, "v: gone")));
    assertThat(err.toString()).isEqualTo("trefoil: v: gone\n");
  }

  @Test
  void defectOfThisProgramIsNamedAsSuch() {
    assertThat(errors.report(new IllegalStateException("oops"))).isEqualTo(1);
    assertThat(err.toString()).startsWith("trefoil: internal error: ").contains("oops");
  }
}
