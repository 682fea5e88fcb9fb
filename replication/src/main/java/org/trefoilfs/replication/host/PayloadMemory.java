package org.trefoilfs.replication.host;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.Message;

/**
 * Accounts for all the data of writes that this host holds, from the moment at which it begins to
 * read a request to the one at which the chunk store has it, and keeps it within {@link
 * PayloadLimits}. A request waits before it is read: in the sockets between, and at its sender.
 *
 * <p>Writes wait for whatever this host has too much of. PREPAREs wait for its own disk alone,
 * never for other hosts: what is uncommitted here goes when those have taken PREPAREs, and if they
 * did the same, all would stand still. It is bounded by what each primary lets in.
 *
 * <p>Thread-safe. Its lock is taken under a group's, and nothing is called with it.
 */
final class PayloadMemory implements Intake {
  /**
   * The journal is released behind the oldest uncommitted write, which may wait for other hosts: so
   * a PREPARE waits no longer for it.
   */
  private static final long PATIENCE_NANOS = 500_000_000L;

  private final PayloadLimits limits;
  private final DiskRoom disk;
  private final TimeSource time;

  /** Uncommitted in the groups whose primary this host is. */
  private final AtomicLong ownBytes = new AtomicLong();

  /** Uncommitted in the other groups. */
  private final AtomicLong othersBytes = new AtomicLong();

  /** Committed, and kept until the image of their chunk has come. */
  private final AtomicLong asideBytes = new AtomicLong();

  private final AtomicInteger wakings = new AtomicInteger();
  private volatile int hosts = 1;

  /** Set while someone waits: nobody else needs the lock when something is freed. */
  private volatile boolean waited;

  private final Queue writes = new Queue();
  private final Queue prepares = new Queue();
  private final Queue fetches = new Queue();

  /** Those that wait for the same. Guarded by the memory. */
  private static final class Queue {
    final Deque<Room> waiting = new ArrayDeque<>();

    /** Taken, and not released. */
    long bytes;
  }

  PayloadMemory(PayloadLimits limits, DiskRoom disk, TimeSource time) {
    this.limits = limits;
    this.disk = disk;
    this.time = time;
  }

  /** Bytes that are held now. */
  long held() {
    long taken;
    synchronized (this) {
      taken = writes.bytes + prepares.bytes + fetches.bytes;
    }
    return taken + ownBytes.get() + othersBytes.get() + backlog();
  }

  /** Bytes that may be held at most. */
  long limit() {
    return limits.bytes();
  }

  void clusterChanged(ClusterView cluster) {
    hosts = (int) cluster.hosts().values().stream().filter(host -> !host.witness()).count();
  }

  @Override
  public Ticket ask(Message.Lane lane, long bytes) {
    return switch (lane) {
      case WRITE -> ask(writes, bytes);
      case COMMIT -> ask(prepares, bytes);
      case CONTROL, DATA, BULK -> Ticket.FREE;
    };
  }

  /** Asks for room for what is to be fetched of a chunk. */
  Ticket askToFetch(long bytes) {
    return ask(fetches, Math.min(bytes, limits.fetched()));
  }

  private Ticket ask(Queue queue, long bytes) {
    if (bytes > limits.fetched()) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          "a request of %d bytes, where this host takes %d; write in parts, or give it more memory"
              .formatted(bytes, limits.fetched()));
    }
    Room room = new Room(queue, bytes, time.nanoTime());
    synchronized (this) {
      if (queue.waiting.isEmpty() && isRoomFor(room)) {
        room.take();
        room.taken.complete(null); // nothing hangs on it yet
        return room;
      }
      queue.waiting.add(room);
      waited = true;
    }
    changed();
    return room;
  }

  /** What a group holds after an event. Called under its lock. */
  void counts(Slot slot) {
    long aside = slot.catchUp == null ? 0 : slot.catchUp.asideBytes();
    asideBytes.addAndGet(aside - slot.countedAside);
    slot.countedAside = aside;
    long bytes = slot.group.log().suffixBytes();
    boolean own = slot.group.isPrimary();
    if (bytes != slot.countedBytes || own != slot.countedAsOwn) {
      uncommitted(slot.countedAsOwn).addAndGet(-slot.countedBytes);
      uncommitted(own).addAndGet(bytes);
      slot.countedBytes = bytes;
      slot.countedAsOwn = own;
    }
  }

  private AtomicLong uncommitted(boolean own) {
    return own ? ownBytes : othersBytes;
  }

  /** Time has passed: the disk may have made room, and who waited may have given up. */
  void tick() {
    if (waited) {
      synchronized (this) {
        for (Queue queue : List.of(prepares, writes, fetches)) {
          queue.waiting.removeIf(room -> room.taken.isDone());
        }
      }
      changed();
    }
  }

  /** Lets those in for whom there is room now. To be called when something may have gone. */
  void changed() {
    if (!waited || wakings.getAndIncrement() != 0) {
      return; // whoever is at it looks again: a request that is let in may itself free something
    }
    int seen = 1;
    do {
      for (Room room : ready()) {
        if (!room.taken.complete(null)) {
          room.release();
        }
      }
      seen = wakings.addAndGet(-seen);
    } while (seen != 0);
  }

  private synchronized List<Room> ready() {
    List<Room> ready = new ArrayList<>();
    waited = false;
    for (Queue queue : List.of(prepares, writes, fetches)) {
      while (!queue.waiting.isEmpty() && isRoomFor(queue.waiting.getFirst())) {
        Room room = queue.waiting.removeFirst();
        room.take();
        ready.add(room);
      }
      waited |= !queue.waiting.isEmpty();
    }
    return ready;
  }

  private boolean isRoomFor(Room room) {
    if (room.queue == prepares) {
      // A full disk makes no room while it waits; who fills it is refused.
      return (backlog() < limits.backlog() || disk.isStarved())
          && (!disk.isJournalFull() || time.nanoTime() - room.since >= PATIENCE_NANOS);
    }
    long most = room.queue == writes ? limits.uncommitted(hosts) : limits.fetched();
    long now = room.queue.bytes + (room.queue == writes ? ownBytes.get() : 0);
    return (now == 0 || now + room.bytes <= most)
        && (room.queue == fetches || (backlog() < limits.backlog() && !disk.isJournalFull()));
  }

  private long backlog() {
    return disk.backlogBytes() + asideBytes.get();
  }

  private final class Room implements Ticket {
    private final Queue queue;
    private final long bytes;
    private final long since;
    private final CompletableFuture<Void> taken = new CompletableFuture<>();
    private boolean counted;

    Room(Queue queue, long bytes, long since) {
      this.queue = queue;
      this.bytes = bytes;
      this.since = since;
    }

    /** Under the memory's lock. */
    void take() {
      counted = true;
      queue.bytes += bytes;
    }

    @Override
    public CompletableFuture<Void> taken() {
      return taken;
    }

    @Override
    public void release() {
      taken.cancel(false);
      synchronized (PayloadMemory.this) {
        if (!counted) {
          return;
        }
        counted = false;
        queue.bytes -= bytes;
      }
      changed();
    }
  }
}
