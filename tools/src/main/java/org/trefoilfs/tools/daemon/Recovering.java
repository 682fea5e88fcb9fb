package org.trefoilfs.tools.daemon;

import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.LossRecovery;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.recover.RecoverBuilder;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.recover.RecoverReport.Done;

/** What closed groups wait for, and opening them without it. */
final class Recovering {
  private final RunningHost host;

  Recovering(RunningHost host) {
    this.host = host;
  }

  RecoverReport look() {
    return RecoverBuilder.build(majority(host::surveyLoss), host::silence, null);
  }

  RecoverReport acceptLoss(String operator) {
    LossRecovery.Outcome outcome = majority(() -> host.acceptLoss(operator));
    Done done = new Done(RecoverBuilder.id(outcome.choice()), outcome.opened(), outcome.refused());
    return RecoverBuilder.build(outcome.plan(), host::silence, done);
  }

  private static <T> T majority(Supplier<T> call) {
    try {
      return call.get();
    } catch (TrefoilException e) {
      if (e.reason() != Reason.UNAVAILABLE && e.reason() != Reason.NOT_LEADER) {
        throw e;
      }
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "recover: no majority of the state log's voters answers ("
              + e.getMessage()
              + "); start more of them. If most of them are gone for good this command cannot help:"
              + " the cluster's names went with them, and that needs a new cluster",
          e);
    }
  }
}
