package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.placement.PgView.Member;

/**
 * Hosts, each with a detector of its own, under simulated time: heartbeats are delayed, lost and
 * reordered, hosts are cut off, leadership moves at any moment, commands take their time in the
 * log. Whenever a host becomes DOWN it must not hold a lease, nor get one while it is.
 */
class LeaseSafetyTest {
  private static final int HOSTS = 5;
  private static final Duration T = Duration.ofSeconds(2);
  private static final long MS = 1_000_000;

  private final TestCluster.Clock clock = new TestCluster.Clock();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
  private final List<FailureDetector> detectors = new ArrayList<>();
  private final List<HostLease> leases = new ArrayList<>();
  private final long[] cutUntil = new long[HOSTS + 1];
  private Random random;
  private TestCluster cluster;
  private long order;
  private int leader = 1;
  private int term;
  private int losses;
  private int leasedTicks;
  private String seedText = "";

  private record Event(long at, long order, Runnable action) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void noHostIsDeclaredLostUnderAValidLease(long seed) {
    random = new Random(seed);
    seedText = "seed " + seed;
    cluster = TestCluster.of(1, HOSTS);
    detectors.add(null);
    leases.add(null);
    for (int host = 1; host <= HOSTS; host++) {
      FailureDetector detector = new FailureDetector(clock, T);
      detector.observe(cluster.view());
      cluster.module.listen(detector::observe);
      detectors.add(detector);
      leases.add(new HostLease(T));
      int self = host;
      after(random.nextInt(200), () -> heartbeat(self));
    }
    detectors.get(1).startLeading();
    after(100, this::tick);
    after(3000, this::moveLeadership);
    after(1000, this::cutSomeone);
    run(200_000);
    assertThat(losses).as("%s: hosts were lost", seedText).isGreaterThan(5);
    assertThat(leasedTicks).as("%s: hosts held leases", seedText).isGreaterThan(3000);
  }

  @Test
  void aLeaseRunsFromTheSendingOfTheNewestGrantedHeartbeat() {
    HostLease lease = new HostLease(T);
    assertThat(lease.valid(0)).isFalse();
    lease.sent(-500 * MS);
    lease.sent(0);
    lease.granted(0);
    lease.granted(-500 * MS); // a late answer to an older heartbeat
    assertThat(lease.valid(749 * MS)).isTrue();
    assertThat(lease.remaining(400 * MS)).isEqualTo(350 * MS);
    assertThat(lease.valid(750 * MS)).isFalse();
    lease.granted(5000 * MS); // never sent
    assertThat(lease.valid(5000 * MS)).isFalse();
    lease.sent(2000 * MS);
    lease.granted(2000 * MS);
    assertThat(lease.valid(2500 * MS)).isTrue();
    lease.drop();
    assertThat(lease.valid(2500 * MS)).isFalse();
    assertThat(lease.remaining(2500 * MS)).isZero();
  }

  @Test
  void aLeaseHoldsAcrossTheOverflowOfTheClock() {
    HostLease lease = new HostLease(T);
    lease.sent(Long.MAX_VALUE - 10);
    lease.granted(Long.MAX_VALUE - 10);
    assertThat(lease.valid(Long.MIN_VALUE + 100)).isTrue();
    assertThat(lease.valid(Long.MIN_VALUE + 1001 * MS)).isFalse();
  }

  // ---- the world

  private void run(long millis) {
    long end = millis * MS;
    while (!events.isEmpty() && events.peek().at() <= end) {
      Event event = events.poll();
      clock.nanos = event.at();
      event.action().run();
      checkLeases();
    }
  }

  private void after(long millis, Runnable action) {
    events.add(new Event(clock.nanos + millis * MS, order++, action));
  }

  private void checkLeases() {
    for (int host = 1; host <= HOSTS; host++) {
      boolean leased = leases.get(host).valid(clock.nanos);
      if (!cluster.host(host).isAlive()) {
        assertThat(leased)
            .as("%s at %d ms: lease of h%d, which is down", seedText, clock.nanos / MS, host)
            .isFalse();
      } else if (leased) {
        leasedTicks++;
      }
    }
  }

  /** Mostly quick, sometimes longer than a lease, sometimes never. */
  private void deliver(int from, int to, Runnable action) {
    boolean cut = cutUntil[from] > clock.nanos || cutUntil[to] > clock.nanos;
    if (from != to && (cut || random.nextInt(20) == 0)) {
      return;
    }
    after(random.nextInt(30) == 0 ? random.nextInt(1800) : random.nextInt(30), action);
  }

  private void heartbeat(int from) {
    long sent = clock.nanos;
    long incarnation = 1;
    leases.get(from).sent(sent);
    for (int to = 1; to <= HOSTS; to++) {
      int receiver = to;
      deliver(from, to, () -> receive(from, incarnation, receiver, sent));
    }
    if (!cluster.host(from).isAlive() && cutUntil[from] <= clock.nanos) {
      after(random.nextInt(50), () -> startAgain(from));
    }
    after(150 + random.nextInt(100), () -> heartbeat(from));
  }

  private void receive(int from, long incarnation, int receiver, long sent) {
    detectors.get(receiver).heard(id(from), incarnation);
    int termSeen = term;
    after(
        random.nextInt(100),
        () -> {
          // Leadership is verified after the receipt; the answer travels back.
          boolean verified = leader == receiver && term == termSeen;
          if (verified && detectors.get(receiver).grants(id(from), incarnation)) {
            deliver(receiver, from, () -> leases.get(from).granted(sent));
          }
        });
  }

  private void startAgain(int host) {
    HostInfo info = cluster.host(host);
    cluster.run(
        new HostStarted(
            info.id(),
            1,
            info.address(),
            info.raftAddress(),
            detectors.get(Math.max(1, leader)).live()));
  }

  private void tick() {
    for (int host = 1; host <= HOSTS; host++) {
      List<Member> lost = detectors.get(host).lost();
      if (!lost.isEmpty()) {
        assertThat(host).isEqualTo(leader);
        int submitted = term;
        HostsLost command = new HostsLost(cluster.view().epoch(), lost);
        after(random.nextInt(1500), () -> applyLoss(command, submitted));
      }
    }
    after(100, this::tick);
  }

  /** The log applies a leader's command in its term, or never. */
  private void applyLoss(HostsLost command, int submitted) {
    if (submitted == term) {
      long before = alive();
      cluster.run(command);
      losses += (int) (before - alive());
    }
  }

  private long alive() {
    return cluster.view().hosts().values().stream().filter(HostInfo::isAlive).count();
  }

  private void moveLeadership() {
    if (leader > 0) {
      detectors.get(leader).stopLeading();
    }
    leader = 0;
    term++;
    after(
        random.nextInt(1000),
        () -> {
          leader = 1 + random.nextInt(HOSTS);
          detectors.get(leader).startLeading();
        });
    after(2000 + random.nextInt(8000), this::moveLeadership);
  }

  private void cutSomeone() {
    int host = 1 + random.nextInt(HOSTS);
    cutUntil[host] = clock.nanos + random.nextInt(4000) * MS;
    after(random.nextInt(5000), this::cutSomeone);
  }
}
