package org.trefoilfs.replication.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;

class PlacementTest {
  private static final int BITS = 12;
  private static final int GROUPS = 1 << BITS;

  /** Computed apart from this program, in Python. */
  private static final double SCORE_1 = 1.5591938506078844;

  private static final double SCORE_2 = 12.827162281465176;

  private static HostInfo host(int id, int weight, String domain, HostState state) {
    Address address = new Address("10.0.0." + id, 7440);
    return new HostInfo(
        new HostId(id), "h" + id, address, address, false, weight, domain, id + 100, state);
  }

  private static List<HostInfo> hosts(int count) {
    List<HostInfo> hosts = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      hosts.add(host(i, 1, "d" + i, HostState.UP));
    }
    return hosts;
  }

  private static double maxOverMean(Map<HostId, Integer> load, int hosts) {
    double total = load.values().stream().mapToInt(Integer::intValue).sum();
    return Collections.max(load.values()) * hosts / total;
  }

  @Test
  void loadAndPrimariesAreEven() {
    Map<HostId, Integer> load = new HashMap<>();
    Map<HostId, Integer> primaries = new HashMap<>();
    for (PgView group : Placement.initial(3, BITS, hosts(10))) {
      assertThat(group.inSync().getFirst().host()).isEqualTo(group.primary());
      assertThat(group.inSync().stream().map(PgView.Member::host).distinct()).hasSize(3);
      primaries.merge(group.primary(), 1, Integer::sum);
      group.inSync().forEach(member -> load.merge(member.host(), 1, Integer::sum));
    }
    assertThat(maxOverMean(load, 10)).isLessThan(1.15);
    assertThat(maxOverMean(primaries, 10)).isLessThan(1.05);
  }

  @Test
  void primariesElectedAfterAHostIsLostAreEven() {
    List<HostInfo> hosts = hosts(10);
    Map<HostId, Integer> elected = new HashMap<>();
    for (int pg = 3 << 16; pg < (3 << 16) + GROUPS; pg++) {
      List<HostId> order = Placement.desired(pg, 3, hosts);
      List<HostInfo> left = hosts.stream().filter(h -> order.indexOf(h.id()) > 0).toList();
      elected.merge(Rendezvous.first(pg, left), 1, Integer::sum);
    }
    assertThat(maxOverMean(elected, 10)).isLessThan(1.25);
  }

  @Test
  void aHostThatComesMovesOnlyItsShare() {
    int moved = 0;
    for (int pg = 3 << 16; pg < (3 << 16) + GROUPS; pg++) {
      Set<HostId> before = new HashSet<>(Placement.desired(pg, 3, hosts(10)));
      Set<HostId> after = new HashSet<>(Placement.desired(pg, 3, hosts(11)));
      after.removeAll(before);
      assertThat(after).isSubsetOf(new HostId(11));
      moved += after.size();
    }
    assertThat(moved / (3.0 * GROUPS)).isBetween(0.08, 0.1); // 1/11 is ideal
  }

  @Test
  void weightIsAShare() {
    List<HostInfo> hosts = new ArrayList<>(hosts(9));
    hosts.add(host(10, 3, "d10", HostState.UP));
    int heavy = 0;
    for (int pg = 1 << 16; pg < (1 << 16) + GROUPS; pg++) {
      heavy += Placement.desired(pg, 1, hosts).getFirst().value() == 10 ? 1 : 0;
    }
    assertThat(heavy / (double) GROUPS).isBetween(0.22, 0.28); // 3 of 12
  }

  @Test
  void failureDomainsAreDistinctFirst() {
    List<HostInfo> hosts = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      hosts.add(host(i, 1, "rack" + i % 3, HostState.UP));
    }
    for (int pg = 0; pg < 200; pg++) {
      List<HostId> three = Placement.desired(3 << 16 | pg, 3, hosts);
      assertThat(three.stream().map(id -> id.value() % 3).distinct()).hasSize(3);
      assertThat(Placement.desired(5 << 16 | pg, 5, hosts)).doesNotHaveDuplicates().hasSize(5);
    }
  }

  @Test
  void theOrderOfTheInputDoesNotMatter() {
    List<HostInfo> hosts = hosts(7);
    List<HostInfo> shuffled = new ArrayList<>(hosts);
    Collections.shuffle(shuffled, new Random(3));
    for (int pg = 0; pg < 100; pg++) {
      assertThat(Rendezvous.order(pg, shuffled)).isEqualTo(Rendezvous.order(pg, hosts));
    }
  }

  @Test
  void scoresAreTheSameEverywhere() {
    // Fixed values: another number here is another placement, and replicas that disagree.
    assertThat(Rendezvous.score(3 << 16 | 7, new HostId(1), 1)).isEqualTo(SCORE_1);
    assertThat(Rendezvous.score(3 << 16 | 7, new HostId(2), 5)).isEqualTo(SCORE_2);
  }

  @Test
  void hostsThatAreDownKeepTheirPlaceAndLeavingOnesDoNot() {
    List<HostInfo> hosts = new ArrayList<>(hosts(2));
    hosts.add(host(3, 1, "d3", HostState.DOWN));
    hosts.add(host(4, 1, "d4", HostState.LEAVING));
    hosts.add(host(5, 1, "d5", HostState.JOINING));
    assertThat(Placement.desired(1, 5, hosts))
        .containsExactlyInAnyOrder(new HostId(1), new HostId(2), new HostId(3));
    for (PgView group : Placement.initial(3, 2, hosts)) {
      assertThat(group.inSync())
          .containsExactlyInAnyOrder(
              new PgView.Member(new HostId(1), 101), new PgView.Member(new HostId(2), 102));
    }
  }

  @Test
  void aTableSharesWhatDidNotChangeAndKnowsWhatDid() {
    PlacementTable empty = PlacementTable.empty(0, 2);
    PlacementTable first = empty.with(Placement.initial(2, 2, hosts(3)), 1);
    PgView group = first.group(2 << 16 | 3).orElseThrow();
    PgView next = group.next(null, group.inSync(), List.of());
    PlacementTable second = first.with(List.of(next), 2);
    assertThat(first.group(group.pg())).contains(group);
    assertThat(second.group(group.pg())).contains(next);
    assertThat(second.changedSince(1)).containsExactly(next);
    assertThat(second.changedSince(0)).hasSize(4);
    assertThat(second.changedSince(2)).isEmpty();
    assertThat(second.group(9)).isEmpty();
    assertThat(second.group(2 << 16 | 4)).isEmpty();
  }
}
