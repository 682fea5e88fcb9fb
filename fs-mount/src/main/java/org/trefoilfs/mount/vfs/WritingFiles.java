package org.trefoilfs.mount.vfs;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.vfs.HeldLeases.Lease;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * The files whose bytes this mount changes at the volume itself. Before it changes the first it
 * says so ({@link Names#beginWriting}), and takes that back when the file is closed, or when it has
 * changed none for a second: so that other mounts' kernels may keep pages of what nobody writes. A
 * change is made in the session that has said so.
 */
final class WritingFiles {
  /** A session that no host knows: what is tried in it is refused, and tried again. */
  private static final long NOBODY = -1;

  private final Names names;
  private final TimeSource time;
  private final Waiting waiting;
  private final HeldLeases said;

  /** Changes that are on their way. */
  private final Map<Long, UnderWay> underWay = new ConcurrentHashMap<>();

  /**
   * Files with changes of which it is not known whether they were made: that may still happen, as
   * long as the session lasts.
   */
  private final Set<Long> uncertain = ConcurrentHashMap.newKeySet();

  /** Files of which it is being said. */
  private final Map<Long, CompletableFuture<Lease>> saying = new ConcurrentHashMap<>();

  private static final class UnderWay {
    int changes;
    final CompletableFuture<Void> done = new CompletableFuture<>();
  }

  WritingFiles(Names names, TimeSource time, Waiting waiting) {
    this.names = names;
    this.time = time;
    this.waiting = waiting;
    this.said = HeldLeases.shared(time, new Changes(), names::endWriting);
  }

  private final class Changes implements HeldLeases.Written {
    @Override
    public CompletableFuture<Void> drained(long inode) {
      if (uncertain.contains(inode)) {
        return new CompletableFuture<>();
      }
      UnderWay changes = underWay.get(inode);
      return changes == null ? CompletableFuture.completedFuture(null) : changes.done.copy();
    }

    @Override
    public boolean holds(long inode) {
      return underWay.containsKey(inode) || uncertain.contains(inode);
    }
  }

  /** Changes of one call. */
  final class Use implements AutoCloseable {
    private final long inode;
    private final OptionalLong only;

    /** Null while another session is waited for. */
    private volatile @Nullable Lease lease;

    private Use(long inode, OptionalLong only) {
      this.inode = inode;
      this.only = only;
      enter();
    }

    private void enter() {
      Lease entered = WritingFiles.this.enter(inode);
      lease = entered;
      if (only.isPresent() && only.getAsLong() != entered.session) {
        close();
        throw WriteBack.isOver(inode);
      }
    }

    /** In which the change is to be made, each time that it is tried. */
    long session() {
      Lease current = lease;
      return current == null ? NOBODY : current.session;
    }

    /** Waits for a change. When the session ends meanwhile, it is made in the next one. */
    void await(CompletableFuture<Void> change) {
      try {
        while (!change.isDone()) {
          Lease current = Objects.requireNonNull(lease);
          waiting.<@Nullable Object>change(CompletableFuture.anyOf(change, current.gone));
          if (!change.isDone()) {
            close();
            enter();
          }
        }
        waiting.<@Nullable Void>change(change);
      } catch (TrefoilException e) {
        if (e.reason() == Reason.OUTCOME_UNKNOWN || !change.isDone()) {
          uncertain.add(inode);
        }
        throw e;
      }
    }

    @Override
    public void close() {
      Lease current = lease;
      if (current != null) {
        lease = null;
        current.used(time.nanoTime());
        leave(inode);
      }
    }
  }

  /**
   * The file's bytes are to be changed; the others know.
   *
   * @param only the session in which alone it may be done: IO when that is over
   */
  Use begin(long inode, OptionalLong only) {
    return new Use(inode, only);
  }

  /** It was made here just now, and {@link Names#createToWrite} has said so. */
  void made(Attributes file) {
    long session = names.session();
    if (file.writers().sessions().contains(session) && said.get(file.inode()) == null) {
      said.granted(file.inode(), session, 0);
    }
  }

  /** Nobody has the file open here any more. */
  void closed(long inode) {
    Lease lease = said.get(inode);
    if (lease != null) {
      lease.idle(time.nanoTime());
    }
  }

  private Lease enter(long inode) {
    while (true) {
      Lease lease = said.get(inode);
      if (lease == null) {
        lease = say(inode);
      }
      synchronized (lease) {
        if (!lease.isEnding()) {
          underWay.compute(inode, (_, old) -> more(old));
          return lease;
        }
      }
      waiting.<@Nullable Void>change(lease.gone);
    }
  }

  private static UnderWay more(@Nullable UnderWay old) {
    UnderWay changes = old == null ? new UnderWay() : old;
    changes.changes++;
    return changes;
  }

  private void leave(long inode) {
    UnderWay[] last = new UnderWay[1];
    underWay.computeIfPresent(
        inode,
        (_, changes) -> {
          if (--changes.changes > 0) {
            return changes;
          }
          last[0] = changes;
          return null;
        });
    if (last[0] != null) {
      last[0].done.complete(null);
    }
  }

  /** Once for all who want to write it now. */
  private Lease say(long inode) {
    CompletableFuture<Lease> mine = new CompletableFuture<>();
    CompletableFuture<Lease> other = saying.putIfAbsent(inode, mine);
    if (other != null) {
      return waiting.change(other);
    }
    try {
      Lease lease = said.get(inode);
      mine.complete(lease == null ? asked(inode) : lease);
    } catch (RuntimeException e) {
      mine.completeExceptionally(e);
    } finally {
      saying.remove(inode, mine);
    }
    return waiting.change(mine);
  }

  private Lease asked(long inode) {
    while (true) {
      long session = names.session();
      try {
        Attributes now = waiting.change(names.beginWriting(inode));
        if (now.writers().sessions().contains(session)) {
          return said.granted(inode, session, 0);
        }
      } catch (TrefoilException e) {
        if (e.reason() == Reason.OUTCOME_UNKNOWN) {
          said.doubtful(inode);
        }
        if (e.reason() == Reason.STALE) {
          awaitSessionAfter(session, e);
        } else if (names.session() == session) {
          throw e;
        }
      }
    }
  }

  /** The session is over, and the mount is about to have another. */
  private void awaitSessionAfter(long session, TrefoilException over) {
    try {
      waiting.until(names::session, now -> now != session);
    } catch (TrefoilException e) {
      over.addSuppressed(e);
      throw over;
    }
  }

  /** Takes all back, once no change is under way. */
  CompletableFuture<Void> letGo() {
    return said.endAll();
  }

  /** The session is over, and what of it was uncertain will not happen any more. */
  void forget() {
    uncertain.clear();
    said.forget();
  }
}
