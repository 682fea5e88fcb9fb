package org.trefoilfs.tools.library;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.VolumeInfo;

/**
 * A mount's session with the cluster: opened, kept alive, opened anew when the cluster gave it up,
 * and closed. What an evicted session had open without a name is lost; all else goes on.
 */
final class MountSession implements AutoCloseable {
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Logger LOG = LoggerFactory.getLogger(MountSession.class);

  private final Member member;
  private final VolumeInfo volume;
  private final String directory;
  private final SecureRandom random = new SecureRandom();
  private final AtomicLong orphanCursor = new AtomicLong();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final RenewableNames names;
  private volatile long id;

  MountSession(Member member, VolumeInfo volume, String directory) {
    this.member = member;
    this.volume = volume;
    this.directory = directory;
    this.names = new RenewableNames(open(), member::isFull);
  }

  Names names() {
    return names;
  }

  /** The mount has looked after all orphans up to here. */
  void lookedAfter(long cursor) {
    orphanCursor.accumulateAndGet(cursor, Math::max);
  }

  private Names open() {
    long session = freshId();
    Waits.get(
        member.cluster().openSession(new OpenSession(session, volume.id(), hostName(), directory)));
    Names opened =
        Waits.get(StateLogNames.open(member.stateLog(), volume.id(), session, SystemTime.INSTANCE));
    id = session;
    member.keepSession(session, orphanCursor::get, () -> evicted(session));
    return opened;
  }

  private long freshId() {
    long drawn;
    do {
      drawn = random.nextLong();
    } while (drawn == 0);
    return drawn;
  }

  /** Called on a thread that must not block. */
  private void evicted(long session) {
    LOG.error(
        "the mount at {} was out of touch with the cluster for too long and was evicted; it goes on"
            + " under a new session, without files that were open and have no name",
        directory);
    Thread.ofVirtual().name("renew " + Long.toHexString(session)).start(this::renew);
  }

  private void renew() {
    try {
      do {
        @Nullable TrefoilException failure = tryRenew();
        if (failure == null) {
          LOG.info("the mount at {} has a new session", directory);
          return;
        }
        LOG.warn("no new session for the mount at {} yet: {}", directory, failure.getMessage());
      } while (!closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private @Nullable TrefoilException tryRenew() {
    try {
      names.renew(open());
      return null;
    } catch (TrefoilException e) {
      return e;
    }
  }

  private static String hostName() {
    String name = System.getenv("HOSTNAME");
    return name == null ? "process " + ProcessHandle.current().pid() : name;
  }

  /** A session that cannot be closed runs out by itself. */
  @Override
  public void close() {
    closing.countDown();
    member.dropSession(id);
    var unused =
        member
            .cluster()
            .closeSession(id)
            .orTimeout(2, TimeUnit.SECONDS)
            .exceptionally(
                failure -> {
                  LOG.info("session {} is left to run out", Long.toHexString(id));
                  return null;
                });
    unused.join();
  }
}
