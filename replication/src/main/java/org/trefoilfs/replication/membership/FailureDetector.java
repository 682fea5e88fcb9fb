package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.placement.PgView.Member;

/**
 * Decides by heartbeats which hosts are lost. Every host hears the heartbeats of all (its own
 * included), whether it leads or not, so that a new leader knows at once who has been silent.
 *
 * <p>A host is lost when it was silent for T, and this leader has led for the length L of a lease
 * ({@link HostLease#length}) and a margin.
 *
 * <p><b>Why no lost host holds a lease.</b> Let a heartbeat be sent at s and granted: the host
 * serves until s + L.
 *
 * <ul>
 *   <li>Granted by this leader: it was received, and recorded here, at r &ge; s. The host is lost
 *       at r + T at the earliest, which is later than s + L whatever the clocks' drift below a
 *       factor of two.
 *   <li>Granted by an earlier leader: that one verified its leadership after the receipt, thus
 *       after s; hence this leader's term began after s. It waits from there for L and a margin for
 *       drift.
 *   <li>Granted by this leader after the decision, while {@code HostsLost} is on its way through
 *       the log: does not happen, because {@link #grants} refuses a host from the moment when
 *       {@link #lost} names it.
 *   <li>Granted after the host came up again, while a repeated {@code HostsLost} lies in the log:
 *       that one is without effect, being as of an earlier epoch.
 * </ul>
 *
 * <p>A host that stops in good order first gives its lease up for good, then says so ({@link
 * #stopped}): it is lost from that moment on, also by a leader that has only begun to lead.
 *
 * <p>For this to hold, the shell (1) calls {@link #heard} on receipt, then verifies the leadership,
 * then asks {@link #grants}; (2) calls {@link #startLeading} only when the first entry of its own
 * term is applied; (3) submits {@code HostsLost} to its own state log server as that term's leader,
 * and never lets it be forwarded to, or tried again at, another leader; (4) passes each cluster
 * view to {@link #observe}. Thread-safe.
 */
public final class FailureDetector {
  private final TimeSource time;
  private final long detectionNanos;

  /** L and the margin: until then a lease of an earlier leader may hold. */
  private final long patienceAsLeader;

  private final AttentiveClock attention;
  private final Map<HostId, Heard> heard = new HashMap<>();
  private final Set<Member> condemned = new HashSet<>();
  private final Set<Member> stopped = new HashSet<>();
  private Map<HostId, HostInfo> hosts = Map.of();
  private long epoch = -1;
  private boolean leading;
  private long leadingSince;

  /**
   * @param spoke whether a heartbeat came then; otherwise the state log began to say then that it
   *     runs
   */
  private record Heard(long incarnation, long nanos, boolean spoke) {}

  /**
   * @param detection T: after how long of silence a host is lost
   */
  public FailureDetector(TimeSource time, Duration detection) {
    this.time = time;
    detectionNanos = detection.toNanos();
    patienceAsLeader = HostLease.outlasted(detection).toNanos();
    attention = new AttentiveClock(detectionNanos / 2, time.nanoTime());
  }

  /** A heartbeat has arrived. One of an older incarnation than was heard already is a straggler. */
  public synchronized void heard(HostId host, long incarnation) {
    Heard last = heard.get(host);
    if (last == null || incarnation >= last.incarnation) {
      heard.put(host, new Heard(incarnation, time.nanoTime(), true));
    }
  }

  /** The host has said that it serves no more under this incarnation, and never will. */
  public synchronized void stopped(HostId host, long incarnation) {
    stopped.add(new Member(host, incarnation));
    observeHosts();
  }

  public synchronized boolean hasStopped(Member member) {
    return stopped.contains(member);
  }

  /**
   * Whether the leader may extend the host's lease: it leads, the host is up in the state log under
   * this incarnation, and has not been named lost. A host that is refused asks for its view of
   * itself and submits {@code HostStarted} when it is DOWN there.
   */
  public synchronized boolean grants(HostId host, long incarnation) {
    HostInfo info = hosts.get(host);
    Heard last = heard.get(host);
    return leading
        && last != null
        && last.spoke
        && last.incarnation == incarnation
        && info != null
        && info.isAlive()
        && info.incarnation() == incarnation
        && !stopped.contains(new Member(host, incarnation))
        && !condemned.contains(new Member(host, incarnation));
  }

  /** This host leads the state log, and has applied the first entry of its own term. */
  public synchronized void startLeading() {
    leading = true;
    leadingSince = time.nanoTime();
    attention.resume(leadingSince); // silence before the term counts: all were heard then, too
    condemned.clear(); // what an earlier term of ours submitted is by now applied, or never will be
    observeHosts();
  }

  public synchronized void stopLeading() {
    leading = false;
  }

  /** The state log's newest view of the cluster; older ones are ignored. */
  public synchronized void observe(ClusterView view) {
    if (view.epoch() > epoch) {
      epoch = view.epoch();
      hosts = view.hosts();
      observeHosts();
    }
  }

  /**
   * Who is to be declared lost, now, under which incarnation: those that have stopped, those that
   * are silent, and with them those that have restarted and are not entered yet; in one command, so
   * that a group which lost all its members at once keeps its complete in-sync set. Each stays
   * named, and without grants, until the view shows it down or started anew. To be called several
   * times per T.
   */
  public synchronized List<Member> lost() {
    long now = time.nanoTime();
    attention.tick(now);
    if (!leading) {
      return List.of();
    }
    Set<Member> lost = new LinkedHashSet<>(silent(now));
    stopped.stream().filter(member -> !isOver(hosts.get(member.host()), member)).forEach(lost::add);
    if (!lost.isEmpty()) {
      lost.addAll(replaced());
    }
    condemned.addAll(lost);
    return List.copyOf(lost);
  }

  private List<Member> silent(long now) {
    if (now - leadingSince < patienceAsLeader) {
      return List.of();
    }
    List<Member> lost = new ArrayList<>();
    long longest = 0;
    boolean othersWaver = false;
    for (HostInfo host : hosts.values()) {
      Member member = new Member(host.id(), host.incarnation());
      long silence = host.isAlive() ? silence(member, now) : 0;
      if (host.isAlive() && (condemned.contains(member) || silence >= detectionNanos)) {
        lost.add(member);
        longest = Math.max(longest, silence);
      } else {
        othersWaver |= silence > detectionNanos / 2;
      }
    }
    if (othersWaver && longest < detectionNanos + detectionNanos / 4 && condemned.isEmpty()) {
      return List.of(); // hosts that died together are heard last up to a heartbeat apart
    }
    return lost;
  }

  /**
   * Members whose hosts run under a later incarnation, which the state log does not know yet. They
   * are no survivors: what they had not synced may be gone, and a group that they shared with the
   * lost ones keeps its complete in-sync set only if all are named at once.
   */
  private List<Member> replaced() {
    List<Member> replaced = new ArrayList<>();
    for (HostInfo host : hosts.values()) {
      Heard last = heard.get(host.id());
      Member member = new Member(host.id(), host.incarnation());
      if (host.isAlive()
          && last != null
          && last.incarnation > host.incarnation()
          && !condemned.contains(member)) {
        replaced.add(member);
      }
    }
    return replaced;
  }

  /**
   * Members heard within T that have not stopped, and are not named lost. For {@code HostStarted},
   * and for status.
   */
  public synchronized Set<Member> live() {
    long now = time.nanoTime();
    Set<Member> live = new HashSet<>();
    heard.forEach(
        (host, last) -> {
          Member member = new Member(host, last.incarnation);
          if (now - last.nanos < detectionNanos
              && last.spoke
              && !stopped.contains(member)
              && !condemned.contains(member)) {
            live.add(member);
          }
        });
    return live;
  }

  private long silence(Member member, long now) {
    Heard last = heard.get(member.host());
    return last == null ? 0 : attention.silence(last.nanos, now);
  }

  private void observeHosts() {
    long now = time.nanoTime();
    heard.keySet().removeIf(host -> isDownOrGone(hosts.get(host)));
    for (HostInfo host : hosts.values()) {
      Heard last = heard.get(host.id());
      if (host.isAlive() && (last == null || last.incarnation < host.incarnation())) {
        heard.put(
            host.id(), new Heard(host.incarnation(), now, false)); // its silence counts from here
      }
    }
    condemned.removeIf(member -> isOver(hosts.get(member.host()), member));
    stopped.removeIf(member -> isReplaced(hosts.get(member.host()), member));
  }

  /** A straggling heartbeat of one that is down by now must not make it look alive. */
  private static boolean isReplaced(@Nullable HostInfo host, Member member) {
    return host == null || host.incarnation() > member.incarnation();
  }

  private static boolean isDownOrGone(@Nullable HostInfo host) {
    return host == null || host.state() == HostState.DOWN;
  }

  private static boolean isOver(@Nullable HostInfo host, Member member) {
    return host == null || !host.isAlive() || host.incarnation() != member.incarnation();
  }
}
