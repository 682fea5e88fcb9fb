package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.AcceptedLoss.MissingHost;
import org.trefoilfs.replication.membership.AcceptedLoss.OpenedGroup;
import org.trefoilfs.replication.membership.ClusterCommand.Choice;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.placement.PgView;

/** Groups that open without their complete in-sync sets, because an operator says so. */
final class LossRules {
  /** Choices kept on record; the oldest go first. One of all groups of a pool takes 32 KiB. */
  static final int MAX_RECORDS = 64;

  /** Longest description of an operator: a name and a machine's. */
  static final int MAX_OPERATOR = 512;

  private static final Logger LOG = LoggerFactory.getLogger(LossRules.class);

  private LossRules() {}

  static List<ChangeResult> force(Draft draft, ForceReopen command) {
    GroupRules.checkCount(command.groups());
    Choice choice = command.choice();
    check(draft, choice);
    Set<HostId> missing = new HashSet<>(choice.missing());
    List<ChangeResult> results = new ArrayList<>(command.groups().size());
    List<OpenedGroup> opened = new ArrayList<>();
    for (Reopen reopen : command.groups()) {
      PgView now = draft.group(reopen.pg());
      ChangeResult result = GroupRules.open(draft, now, reopen, isLost(draft, now, missing));
      if (result instanceof ChangeResult.Applied) {
        opened.add(new OpenedGroup(reopen.pg(), reopen.members().getFirst().host()));
      }
      results.add(result);
    }
    if (!opened.isEmpty()) {
      LOG.warn("{} groups open without all of their members: {}", opened.size(), choice);
      record(draft, choice, opened);
    }
    return results;
  }

  /**
   * Whether the group waits for a host that the operator gave up. One that has come back since is
   * no longer missing, and may hold more than those who were asked: look again.
   */
  private static boolean isLost(Draft draft, PgView group, Set<HostId> missing) {
    List<HostId> givenUp =
        group.inSync().stream().map(PgView.Member::host).filter(missing::contains).toList();
    return !givenUp.isEmpty() && givenUp.stream().noneMatch(draft::isAlive);
  }

  private static void record(Draft draft, Choice choice, List<OpenedGroup> opened) {
    AcceptedLoss known = draft.losses.get(choice.id());
    List<MissingHost> missing =
        choice.missing().stream().map(id -> new MissingHost(id, draft.host(id).name())).toList();
    AcceptedLoss begun =
        known != null
            ? known
            : new AcceptedLoss(
                choice.id(), 0, choice.atMillis(), choice.operator(), missing, List.of());
    draft.losses.put(choice.id(), begun.with(opened, draft.nextEpoch()));
    trim(draft.losses);
  }

  /** Forgets the oldest beyond the limit. */
  static void trim(TreeMap<Long, AcceptedLoss> losses) {
    while (losses.size() > MAX_RECORDS) {
      losses.remove(
          losses.values().stream()
              .min(Comparator.comparingLong(AcceptedLoss::epoch))
              .orElseThrow()
              .id());
    }
  }

  private static void check(Draft draft, Choice choice) {
    if (choice.operator().isBlank() || choice.operator().length() > MAX_OPERATOR) {
      throw new TrefoilException(
          Reason.INVALID,
          "who accepts a loss must be said, in up to " + MAX_OPERATOR + " characters: --operator");
    }
    choice.missing().forEach(draft::host);
  }
}
