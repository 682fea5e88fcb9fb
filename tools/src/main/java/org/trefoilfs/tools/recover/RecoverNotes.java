package org.trefoilfs.tools.recover;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.LossPlan;
import org.trefoilfs.replication.membership.LossPlan.Way;

/** What an operator must know before giving a host up. */
final class RecoverNotes {
  private RecoverNotes() {}

  static List<String> of(LossPlan plan) {
    List<String> notes = new ArrayList<>();
    String missing = plan.missing().stream().map(HostInfo::name).collect(Collectors.joining(", "));
    if (!plan.openable().isEmpty()) {
      notes.add(
          "What only "
              + missing
              + " still has cannot be known from here: writes that nobody else acknowledged, or"
              + " whose other copies are gone, are lost when the groups open without it. If it can"
              + " be started again, nothing is lost: start it, and they open by themselves.");
      notes.add(
          "Every in-sync member holds every acknowledged write before it is acknowledged. So"
              + " acknowledged writes are lost only if the members that are left have lost their own"
              + " unsynced tails: in a loss of power or a crash of their systems, not when their"
              + " processes were killed. What was fsynced is there.");
    }
    behind(plan, notes);
    counted(
        plan,
        Way.NONE,
        " groups were in sync on nobody but the missing hosts: they cannot be opened, and their"
            + " chunks are lost with the hosts; restore the files from a backup",
        notes);
    counted(
        plan,
        Way.ASK_AGAIN,
        " groups have a member that runs and did not answer: run this again when it does, or when"
            + " it is down",
        notes);
    counted(plan, Way.OPENS_ALONE, " groups have all their members and open by themselves", notes);
    return List.copyOf(notes);
  }

  private static void behind(LossPlan plan, List<String> notes) {
    long uneven =
        plan.closed().stream().filter(group -> group.latest().size() < group.held().size()).count();
    if (uneven > 0) {
      notes.add(
          uneven
              + " groups have members that are behind another: writes that were under way, or the"
              + " unsynced tail of a host that lost power; these groups open from the one with the"
              + " last write");
    }
  }

  private static void counted(LossPlan plan, Way way, String what, List<String> notes) {
    int count = RecoverBuilder.count(plan.closed(), way);
    if (count > 0) {
      notes.add(count + what);
    }
  }
}
