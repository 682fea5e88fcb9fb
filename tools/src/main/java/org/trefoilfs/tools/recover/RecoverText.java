package org.trefoilfs.tools.recover;

import org.trefoilfs.tools.recover.RecoverReport.Closed;
import org.trefoilfs.tools.recover.RecoverReport.Holder;
import org.trefoilfs.tools.recover.RecoverReport.Loss;
import org.trefoilfs.tools.recover.RecoverReport.MissingHost;
import org.trefoilfs.tools.recover.RecoverReport.Pool;
import org.trefoilfs.tools.status.Sizes;
import org.trefoilfs.tools.status.Table;

/** Draws a report for people. */
public final class RecoverText {
  private RecoverText() {}

  public static String of(RecoverReport report) {
    Loss loss = report.loss();
    if (loss.groups().isEmpty()) {
      return "nothing to recover: no placement group is closed\n";
    }
    StringBuilder out = new StringBuilder();
    loss.missing().forEach(host -> out.append(missing(host)));
    out.append(loss.missing().isEmpty() ? "" : "\n").append(pools(loss));
    if (!loss.holders().isEmpty()) {
      out.append('\n').append(holders(loss));
    }
    report.notes().forEach(note -> out.append('\n').append(note).append('\n'));
    return out.append('\n').append(outcome(report)).toString();
  }

  private static String missing(MissingHost host) {
    return "missing: host "
        + host.name()
        + " ("
        + host.id()
        + ", "
        + host.address()
        + "), not heard of "
        + (host.heard() ? "for " : "since the host that answers started, ")
        + Sizes.seconds(host.silentSeconds())
        + (host.heard() ? "\n" : " ago\n");
  }

  private static String pools(Loss loss) {
    Table table =
        new Table("REPLICAS", "VOLUMES", "GROUPS", "CLOSED", "CAN BE OPENED", "LOST", "OTHERS");
    for (Pool pool : loss.pools()) {
      Closed closed = pool.closed();
      table.row(
          Integer.toString(pool.replicas()),
          pool.volumes().isEmpty() ? "-" : String.join(",", pool.volumes()),
          Integer.toString(pool.groups()),
          Integer.toString(closed.total()),
          Integer.toString(closed.openable()),
          Integer.toString(closed.lost()),
          Integer.toString(closed.askAgain() + closed.opening()));
    }
    return table.render();
  }

  private static String holders(Loss loss) {
    Table table = new Table("HOST", "MEMBER OF", "HAS THE LAST WRITE", "BEHIND");
    for (Holder holder : loss.holders()) {
      table.row(
          holder.host(),
          Integer.toString(holder.groups()),
          Integer.toString(holder.latest()),
          Integer.toString(holder.behind()));
    }
    return table.render();
  }

  private static String outcome(RecoverReport report) {
    RecoverReport.Done done = report.done();
    if (done != null) {
      String refused =
          done.refused() == 0
              ? ""
              : "\n" + done.refused() + " groups changed meanwhile and stay closed; run it again";
      return done.opened() == 0
          ? "nothing was opened" + refused + "\n"
          : done.opened()
              + " groups were opened; recorded as "
              + done.id()
              + ", see: trefoil recover --history"
              + refused
              + "\n";
    }
    boolean openable =
        report.loss().pools().stream().anyMatch(pool -> pool.closed().openable() > 0);
    return openable
        ? "nothing was changed; to open what can be opened: trefoil recover --accept-loss\n"
        : "nothing was changed, and nothing can be opened now\n";
  }

  public static String of(LossHistory history) {
    if (history.losses().isEmpty()) {
      return "no loss was ever accepted\n";
    }
    Table table = new Table("CHOICE", "TIME", "OPERATOR", "GIVEN UP", "GROUPS");
    for (LossHistory.Entry entry : history.losses()) {
      LossHistory.Line line = entry.choice();
      table.row(
          line.id(),
          line.time(),
          line.operator(),
          String.join(",", line.missing()),
          Integer.toString(line.groups()));
    }
    return table.render();
  }
}
