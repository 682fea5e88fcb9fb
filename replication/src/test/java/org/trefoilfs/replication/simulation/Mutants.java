package org.trefoilfs.replication.simulation;

import java.util.List;

/** Plausible mistakes, of a line or two each. */
final class Mutants {
  /** Each is caught within so many seeds. */
  static final int SEEDS = 10_000;

  private Mutants() {}

  static final List<Mutant> ALL =
      List.of(
          new Mutant(
              "no-view-check-in-prepare",
              "commit/Group.java",
              "if (view != null && inView < view.view()) {",
              "if (view != null && inView < 0) {"),
          new Mutant(
              "prepare-counts-as-acknowledged-when-sent",
              "commit/Primary.java",
              "            ports.send(host, prepare);",
              "            ports.send(host, prepare);\n            peer.acknowledged = n;"),
          new Mutant(
              "acknowledge-without-append",
              "commit/Backup.java",
              "      long position =\n          ports.append(",
              "      long position =\n          0L * java.util.Objects.hash("),
          new Mutant(
              "acknowledge-what-earlier-views-prepared",
              "commit/Backup.java",
              "    matched = log.commitIndex();\n    boolean",
              "    matched = Math.min(log.lastN(), message.lastN());\n    boolean"),
          new Mutant(
              "joiners-receive-no-prepares",
              "commit/Primary.java",
              "          if (!peer.broken) {\n            ports.send(host, prepare);",
              "          if (!peer.broken && peer.inSync) {\n            ports.send(host, prepare);"),
          new Mutant(
              "commit-without-promoted-joiner",
              "commit/Primary.java",
              "if (each.getValue().inSync || promoting.contains(each.getKey())) {",
              "if (each.getValue().inSync) {"),
          new Mutant(
              "commit-without-one-member",
              "commit/Primary.java",
              "        held = Math.min(held, each.getValue().acknowledged);",
              "        held = peers.size() > 1 && each.getKey().value() == 1\n"
                  + "            ? held : Math.min(held, each.getValue().acknowledged);"),
          new Mutant(
              "reads-before-recommit",
              "commit/Primary.java",
              "return tookOver && log.commitIndex() >= takenOver;",
              "return tookOver;"),
          new Mutant(
              "commits-before-removed-members-lease-ends",
              "commit/Group.java",
              "      holdUntil = ports.now() + settings.lease().toNanos();",
              "      holdUntil = ports.now();"),
          new Mutant(
              "reads-at-backup-despite-prepared-write",
              "commit/Group.java",
              "return log.hasUncommitted(chunk) ? Readable.ASK_PRIMARY : Readable.YES;",
              "return Readable.YES;"),
          new Mutant(
              "reads-without-lease",
              "commit/Group.java",
              "    if (!ports.leased()) {\n      return Readable.NO_LEASE;",
              "    if (view == null) {\n      return Readable.NO_LEASE;"),
          new Mutant(
              "incarnation-ignored",
              "placement/PgView.java",
              "return inSync.contains(new Member(host, incarnation));",
              "return member(host).isPresent();"),
          new Mutant(
              "retries-applied-again",
              "commit/Group.java",
              "} else if (!before.equals(Version.NONE)) {",
              "} else if (before.n() < 0) {"),
          new Mutant(
              "new-view-truncates-what-may-be-committed",
              "commit/Backup.java",
              "    matched = log.commitIndex();\n    boolean",
              "    matched = log.commitIndex();\n"
                  + "    log.truncateAbove(matched, view.view());\n    boolean"),
          new Mutant(
              "replay-redoes-the-uncommitted",
              "commit/GroupLog.java",
              "commitTo(Math.min(prepared.commitIndex(), prepared.n() - 1))",
              "commitTo(prepared.n() - 1)"),
          new Mutant(
              "lease-used-after-its-end",
              "membership/HostLease.java",
              "nowNanos - granted < durationNanos;",
              "nowNanos - granted < 2 * durationNanos;"),
          new Mutant(
              "new-leader-does-not-wait-for-old-leases",
              "membership/FailureDetector.java",
              "if (now - leadingSince < patienceAsLeader) {",
              "if (now < leadingSince) {"),
          new Mutant(
              "condemned-hosts-are-granted-leases",
              "membership/FailureDetector.java",
              "        && !condemned.contains(new Member(host, incarnation));\n  }",
              "        && info != null;\n  }"),
          new Mutant(
              "hosts-lost-one-by-one",
              "membership/HostRules.java",
              "      draft.groups().forEach(group -> GroupRules.membersLost(draft, group, lost));",
              "      for (HostId one : lost) {\n"
                  + "        draft.groups().forEach(g -> GroupRules.membersLost(draft, g, Set.of(one)));\n"
                  + "      }"),
          new Mutant(
              "restarted-member-stays-in-sync",
              "membership/GroupRules.java",
              "draft.put(group.next(primary, others, with(group.joining(), host)));",
              "List<Member> all = new ArrayList<>(others);\n"
                  + "        all.add(new Member(host, command.incarnation()));\n"
                  + "        draft.put(group.next(primary, all, group.joining()));"),
          new Mutant(
              "reopening-without-all-reports",
              "membership/Controller.java",
              "group.inSync().stream().allMatch(member -> reported.containsKey(member.host()));",
              "!reported.isEmpty();"),
          new Mutant(
              "reopening-with-all-members-in-sync",
              "membership/Reopening.java",
              ".filter(host -> last.equals(reported.get(host)))",
              ".filter(host -> last != null)"),
          new Mutant(
              "catch-up-drops-writes-during-the-fetch",
              "heal/CatchUp.java",
              "      aside.add(entry);\n",
              ""),
          new Mutant(
              "group-commit-completes-who-waits-for-more",
              "journal/SyncWaiters.java",
              "next != null && next.position() <= stable;",
              "next != null;"),
          new Mutant(
              "recovery-does-not-redo",
              "host/Recovery.java",
              "      store.apply(entry.pg(), entry.mutation(), entry.version(), ChunkStore.Redo.REDO);",
              "      redone += 0;"),
          new Mutant(
              "what-is-lost-counts-as-flushed",
              "placement/Reopened.java",
              "    return written.view() < view && (written.view() < before || !kept);",
              "    return false;"),
          new Mutant(
              "what-was-found-again-counts-as-lost",
              "placement/Reopened.java",
              "written.n() <= last.n();",
              "written.n() < last.n();"),
          new Mutant(
              "first-of-two-losses-is-forgotten",
              "placement/Reopened.java",
              "(written.view() < before || !kept)",
              "!kept"));
}
