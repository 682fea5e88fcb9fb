package org.trefoilfs.replication.statelog.lease;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Which session remembers what of the state: leases to read, in the memory of the state log's
 * leader.
 *
 * <ol>
 *   <li>A session that has reported ({@link #keep}) within {@link #TERM} may be granted what a
 *       query read ({@link #read}), unless it changed since the query began.
 *   <li>Before a command's changes can be seen, {@link #changing} names them. Its answer, and every
 *       other that shows them, waits until each session that leased them, other than the one that
 *       asks, has acknowledged that it forgot them, or its leases ran out.
 *   <li>A session's own command revokes nothing of its own: its reply says what changed. Until the
 *       session is known to have that reply, the others' queries do revoke it.
 *   <li>Who has not acknowledged for {@link #PATIENCE} is not renewed. So {@link #TERM} after the
 *       last renewal, and a margin for clocks, it remembers nothing.
 *   <li>A new leader knows nobody's leases, and answers nothing before those of its predecessor
 *       have run out. That one can have renewed nothing for some time when another leads.
 * </ol>
 *
 * What queries read and commands change is named by numbers that the modules agree on. Two rows
 * that share one are merely revoked together. Thread-safe; futures complete on callers' threads.
 */
public final class ReadLeases {
  /** How long a session may remember, from when it sent the last report that was renewed. */
  public static final Duration TERM = Duration.ofMillis(600);

  /** For the drift of clocks over a term, and for a timer that is late. */
  static final Duration MARGIN = Duration.ofMillis(80);

  static final Duration PATIENCE = Duration.ofMillis(250);

  /** How long a report is held while there is nothing to tell. */
  static final Duration HELD = Duration.ofMillis(200);

  /** After this a revocation is told again: the answer that had it may be lost. */
  private static final Duration AGAIN = Duration.ofMillis(100);

  /** Of all sessions together: some 25 MB. */
  static final int LEASES_MAX = 150_000;

  private static final int SLOTS = 1 << 16;
  private static final long NEVER = -1;
  private static final CompletableFuture<@Nullable Void> NOW =
      CompletableFuture.completedFuture(null);

  private final TimeSource time;
  private final Map<Long, Session> sessions = new HashMap<>();

  /** The first lease of each key; the others follow it. */
  private final Map<Long, Lease> leases = new HashMap<>();

  /** Answers to reports that change nothing. */
  private final List<Runnable> declined = new ArrayList<>();

  /** The number of the last change of any key that falls into the slot. */
  private final long[] changedAt = new long[SLOTS];

  private long changes;
  private long lastGeneration;
  private long lastRevocation;
  private boolean leading;
  private boolean renewing = true;
  private CompletableFuture<@Nullable Void> opened = NOW;
  private long openingNanos;

  private static final class Session {
    final long id;
    final long generation;
    final Map<Long, Lease> leases = new HashMap<>();
    final Map<Long, Revoking> revoking = new HashMap<>();
    long renewedNanos;
    long oldestPending;
    long lastReport;
    @Nullable CompletableFuture<LeaseNews> held;
    long heldUntilNanos;

    /** Whether the report that is held has renewed the leases. */
    boolean renewing;

    boolean over;

    Session(long id, long generation) {
      this.id = id;
      this.generation = generation;
    }
  }

  /** A session's of one key. */
  private static final class Lease {
    final Session session;
    final long key;
    @Nullable Lease next;
    @Nullable Revoking revoking;

    /** The session's own command that changed it last, if that may be unknown to it still. */
    long staleSince = NEVER;

    Lease(Session session, long key) {
      this.session = session;
      this.key = key;
    }
  }

  private static final class Revoking {
    final long number;
    final long key;
    final long sinceNanos;
    final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    boolean told;
    long toldNanos;

    Revoking(long number, long key, long sinceNanos) {
      this.number = number;
      this.key = key;
      this.sinceNanos = sinceNanos;
    }
  }

  /**
   * What becomes of a query's answer.
   *
   * @param generation as in {@link LeasedReply}
   * @param clear when it may be given; fails with NOT_LEADER when this host leads no longer
   */
  public record Verdict(long generation, CompletableFuture<@Nullable Void> clear) {}

  public ReadLeases(TimeSource time) {
    this.time = time;
  }

  /**
   * This host leads from now on. What it is asked waits until its predecessor's leases are over.
   *
   * @param term that it leads in; there were no leases before the first
   * @param silence for how long at least its predecessor has renewed nothing, for it was not sure
   *     to lead
   */
  public void startLeading(long term, Duration silence) {
    afterwards(
        after -> {
          drop(after);
          leading = true;
          renewing = true;
          lastGeneration = term << 32;
          if (term > 1) {
            opened = new CompletableFuture<>();
            openingNanos = time.nanoTime() + TERM.plus(MARGIN).minus(silence).toNanos();
          }
          return null;
        });
  }

  /** Renews nothing until it leads anew: another may lead soon. */
  public synchronized void stopRenewing() {
    renewing = false;
  }

  /** Whoever waits for something to be forgotten is let go, and must not be answered any more. */
  public void stopLeading() {
    afterwards(
        after -> {
          leading = false;
          drop(after);
          return null;
        });
  }

  public synchronized boolean isLeading() {
    return leading;
  }

  private void drop(List<Runnable> after) {
    List<CompletableFuture<?>> waited = new ArrayList<>(List.of(opened));
    opened = NOW;
    for (Session session : List.copyOf(sessions.values())) {
      session.revoking.values().forEach(one -> waited.add(one.done));
      session.revoking.clear();
      end(session, after);
    }
    after.add(() -> waited.forEach(one -> one.completeExceptionally(notLeading())));
  }

  private static TrefoilException notLeading() {
    return new TrefoilException(
        Reason.NOT_LEADER, "this host led the state log no longer when it could have answered");
  }

  /** The changes so far: what a query that begins now sees at least. */
  public synchronized long changes() {
    return changes;
  }

  /**
   * A query has read these keys.
   *
   * @param session whose query it is; 0: of none
   * @param wanted whether it would like to remember them
   * @param since {@link #changes} before it read
   */
  public Verdict read(long session, boolean wanted, List<Long> keys, long since) {
    return afterwards(
        after -> {
          Session reader = sessions.get(session);
          boolean unchanged = true;
          List<CompletableFuture<?>> waits = new ArrayList<>(0);
          for (long key : keys) {
            unchanged &= changedAt[slot(key)] <= since;
            for (Lease lease : of(key)) {
              if (lease.session == reader) {
                unchanged &= lease.revoking == null;
              } else if (isStale(lease)) {
                waits.add(revoke(lease, after));
              }
            }
          }
          CompletableFuture<@Nullable Void> clear = all(waits);
          boolean grants = wanted && unchanged && clear.isDone() && hasRoom(keys);
          if (!grants || reader == null || isOver(reader)) {
            return new Verdict(0, clear);
          }
          keys.forEach(key -> grant(reader, key));
          return new Verdict(reader.generation, clear);
        });
  }

  private boolean hasRoom(List<Long> keys) {
    int held = sessions.values().stream().mapToInt(session -> session.leases.size()).sum();
    return held + keys.size() <= LEASES_MAX;
  }

  private void grant(Session session, long key) {
    if (!session.leases.containsKey(key)) {
      Lease lease = new Lease(session, key);
      session.leases.put(key, lease);
      lease.next = leases.put(key, lease);
    }
  }

  /** Whether the session may still show its users what was so before. */
  private static boolean isStale(Lease lease) {
    if (lease.revoking != null) {
      return true;
    }
    if (lease.staleSince < lease.session.oldestPending) {
      lease.staleSince = NEVER;
    }
    return lease.staleSince != NEVER;
  }

  /**
   * A command's changes are about to be seen. Nothing happens at a host that does not lead: there
   * nobody waits for the answer.
   *
   * @return when it may be answered; fails with NOT_LEADER when this host leads no longer
   */
  public CompletableFuture<@Nullable Void> changing(Change change) {
    return afterwards(
        after -> {
          if (!leading) {
            return NOW;
          }
          changes++;
          Session author = sessions.get(change.session());
          if (author != null) {
            author.oldestPending = Math.max(author.oldestPending, change.oldestPending());
          }
          List<CompletableFuture<?>> waits = new ArrayList<>(0);
          for (long key : change.keys()) {
            changedAt[slot(key)] = changes;
            for (Lease lease : of(key)) {
              if (lease.session == author) {
                lease.staleSince = change.sequence();
              } else {
                waits.add(revoke(lease, after));
              }
            }
          }
          return all(waits);
        });
  }

  /** Done when the session has forgotten the key. */
  private CompletableFuture<@Nullable Void> revoke(Lease lease, List<Runnable> after) {
    Session session = lease.session;
    if (isOver(session)) {
      end(session, after);
      return NOW;
    }
    if (lease.revoking == null) {
      lease.revoking = new Revoking(++lastRevocation, lease.key, time.nanoTime());
      session.revoking.put(lastRevocation, lease.revoking);
      tell(session, after);
    }
    return lease.revoking.done;
  }

  private CompletableFuture<@Nullable Void> all(List<CompletableFuture<?>> waits) {
    if (opened.isDone() && waits.isEmpty()) {
      return NOW;
    }
    waits.add(opened);
    return CompletableFuture.allOf(waits.toArray(CompletableFuture[]::new));
  }

  /** A session reports; the answer is held until there is something to tell, or for a while. */
  public CompletableFuture<LeaseNews> keep(LeaseReport report) {
    return afterwards(
        after -> {
          Session session = sessions.get(report.session());
          if (session != null && isOver(session)) {
            end(session, after);
            session = null;
          }
          if (session != null && session.generation != report.generation()) {
            return decline(report);
          }
          boolean begins = session == null;
          if (begins && !renewing) {
            return decline(report);
          }
          if (session == null) {
            session = new Session(report.session(), ++lastGeneration);
            sessions.put(session.id, session);
          } else {
            report.acknowledged().forEach(forgotten(session, after));
            if (report.number() > session.lastReport) {
              report.released().forEach(released(session));
            }
          }
          session.lastReport = Math.max(session.lastReport, report.number());
          session.oldestPending = Math.max(session.oldestPending, report.oldestPending());
          boolean renews = renewing && !isLate(session);
          if (renews) {
            session.renewedNanos = time.nanoTime();
          }
          release(session, after);
          CompletableFuture<LeaseNews> held = new CompletableFuture<>();
          session.held = held;
          session.renewing = renews;
          session.heldUntilNanos = time.nanoTime() + HELD.toNanos();
          if (begins || !renews) {
            release(session, after);
          } else {
            tell(session, after);
          }
          return held;
        });
  }

  /**
   * The report is late, or whoever sends it has begun anew: what the session still may remember
   * runs out first.
   */
  private CompletableFuture<LeaseNews> decline(LeaseReport report) {
    CompletableFuture<LeaseNews> answer = new CompletableFuture<>();
    LeaseNews news = new LeaseNews(report.generation(), false, List.of());
    declined.add(() -> answer.complete(news));
    return answer;
  }

  private Consumer<Long> forgotten(Session session, List<Runnable> after) {
    return number -> {
      Revoking done = session.revoking.remove(number);
      if (done != null) {
        remove(session, done.key);
        after.add(() -> done.done.complete(null));
      }
    };
  }

  private Consumer<Long> released(Session session) {
    return key -> {
      Lease lease = session.leases.get(key);
      if (lease != null && lease.revoking == null) {
        remove(session, key);
      }
    };
  }

  private void remove(Session session, long key) {
    Lease gone = session.leases.remove(key);
    if (gone == null) {
      return;
    }
    Lease first = leases.get(key);
    if (first == gone) {
      if (gone.next == null) {
        leases.remove(key);
      } else {
        leases.put(key, gone.next);
      }
      return;
    }
    for (Lease lease = first; lease != null; lease = lease.next) {
      if (lease.next == gone) {
        lease.next = gone.next;
      }
    }
  }

  /** Tells what is to be told, if a report is held. */
  private void tell(Session session, List<Runnable> after) {
    long now = time.nanoTime();
    if (session.revoking.values().stream().anyMatch(one -> isDue(one, now))) {
      release(session, after);
    }
  }

  private static boolean isDue(Revoking revoking, long now) {
    return !revoking.told || now - revoking.toldNanos >= AGAIN.toNanos();
  }

  /** Answers the report that is held, if one is. */
  private void release(Session session, List<Runnable> after) {
    CompletableFuture<LeaseNews> held = session.held;
    if (held == null) {
      return;
    }
    session.held = null;
    long now = time.nanoTime();
    List<LeaseNews.Revocation> revoked = new ArrayList<>(session.revoking.size());
    for (Revoking revoking : session.revoking.values()) {
      if (isDue(revoking, now)) {
        revoking.told = true;
        revoking.toldNanos = now;
        revoked.add(new LeaseNews.Revocation(revoking.number, revoking.key));
      }
    }
    boolean renewed = session.renewing && !session.over;
    LeaseNews news = new LeaseNews(session.generation, renewed, revoked);
    after.add(() -> held.complete(news));
  }

  /** Whether it owes an acknowledgement for so long that its leases are to run out. */
  private boolean isLate(Session session) {
    long now = time.nanoTime();
    return session.revoking.values().stream()
        .anyMatch(one -> now - one.sinceNanos >= PATIENCE.toNanos());
  }

  private boolean isOver(Session session) {
    return session.over || time.nanoTime() - session.renewedNanos >= TERM.plus(MARGIN).toNanos();
  }

  /** It remembers nothing any more. */
  private void end(Session session, List<Runnable> after) {
    session.over = true;
    sessions.remove(session.id, session);
    for (long key : List.copyOf(session.leases.keySet())) {
      remove(session, key);
    }
    session.revoking.values().forEach(one -> after.add(() -> one.done.complete(null)));
    session.revoking.clear();
    release(session, after);
  }

  /** To be called some twenty times a second. */
  public void tick() {
    afterwards(
        after -> {
          long now = time.nanoTime();
          if (!opened.isDone() && now - openingNanos >= 0) {
            CompletableFuture<@Nullable Void> opening = opened;
            opened = NOW;
            after.add(() -> opening.complete(null));
          }
          after.addAll(declined);
          declined.clear();
          for (Session session : List.copyOf(sessions.values())) {
            if (isOver(session)) {
              end(session, after);
            } else if (session.held != null && now - session.heldUntilNanos >= 0) {
              release(session, after);
            } else {
              tell(session, after);
            }
          }
          return null;
        });
  }

  private List<Lease> of(long key) {
    Lease first = leases.get(key);
    if (first == null) {
      return List.of();
    }
    List<Lease> all = new ArrayList<>(2);
    for (Lease lease = first; lease != null; lease = lease.next) {
      all.add(lease);
    }
    return all;
  }

  private static int slot(long key) {
    return (int) ((key * 0x9E3779B97F4A7C15L) >>> 48);
  }

  /**
   * Runs under the monitor; what it says is to be done afterwards, and that is others' code, not.
   */
  private <T extends @Nullable Object> T afterwards(Function<List<Runnable>, T> action) {
    List<Runnable> after = new ArrayList<>(0);
    T result;
    synchronized (this) {
      result = action.apply(after);
    }
    after.forEach(Runnable::run);
    return result;
  }
}
