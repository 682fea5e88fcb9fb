package org.trefoilfs.replication.placement;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and
 * Schomaker 2005): each host scores {@code -weight / ln(h)} for a group, h in (0, 1) being their
 * common hash, and the highest scores hold it. A host that comes or goes moves only what it gains
 * or loses. StrictMath and Java's IEEE arithmetic give every machine the same order, bit for bit,
 * which the state machine relies on when it names a primary.
 */
public final class Rendezvous {
  private static final double UNIT = 0x1p-53;

  private Rendezvous() {}

  /** All hosts, best first; no failure domain comes a second time before each has come once. */
  public static List<HostId> order(int pg, Collection<HostInfo> hosts) {
    return rank(pg, hosts).stream().map(HostInfo::id).toList();
  }

  /** {@link #order} with all that is known of the hosts. */
  static List<HostInfo> rank(int pg, Collection<HostInfo> hosts) {
    List<Scored> left = new ArrayList<>(ranked(pg, hosts));
    List<HostInfo> order = new ArrayList<>(left.size());
    Set<String> seen = new HashSet<>();
    while (!left.isEmpty()) {
      seen.clear();
      for (Iterator<Scored> each = left.iterator(); each.hasNext(); ) {
        HostInfo host = each.next().host;
        if (seen.add(host.domain())) {
          order.add(host);
          each.remove();
        }
      }
    }
    return order;
  }

  /** The host with the highest score, whatever the domains. */
  public static HostId first(int pg, Collection<HostInfo> hosts) {
    return ranked(pg, hosts).getFirst().host.id();
  }

  /** A host's score for a group; 0 or above, higher is better. */
  static double score(int pg, HostId host, int weight) {
    long hash = Pools.mix(Pools.mix(pg * 0x9E3779B97F4A7C15L) + host.value() * 0xD1B54A32D192ED03L);
    double h = ((hash >>> 11) + 0.5) * UNIT;
    return -weight / StrictMath.log(h);
  }

  private static List<Scored> ranked(int pg, Collection<HostInfo> hosts) {
    return hosts.stream()
        .map(host -> new Scored(host, score(pg, host.id(), host.weight())))
        .sorted(
            Comparator.comparingDouble(Scored::score)
                .reversed()
                .thenComparing(scored -> scored.host.id()))
        .toList();
  }

  private record Scored(HostInfo host, double score) {}
}
