package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Writers;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Which files' pages the kernel may go on using, of those that it has from this mount.
 *
 * <ol>
 *   <li>Files that are opened for writing, with O_DIRECT, or while somebody writes them, go past
 *       the page cache: in it, a write would be read at this mount before others can see it.
 *   <li>Of each file of which the kernel may have pages, the {@link Writers#version} is known under
 *       which all of them were read; or they are in doubt, because somebody was writing when one
 *       was read, or an earlier daemon gave them out.
 *   <li>Before a read(2) takes a page, the kernel asks for the file's attributes, unless it was
 *       given a time-out with the last ones (fuse_cache_read_iter of fs/fuse/file.c).
 *   <li>A time-out is given only while the version is the one that is known and nobody writes
 *       ({@link #trusts}), and under a lease of the attributes. Who begins to write changes these
 *       first, so that the kernel asks again.
 *   <li>Otherwise it gets another modification time with the answer than before ({@link #toRead}),
 *       and drops all pages (fuse_change_attributes of fs/fuse/inode.c): one that is read after
 *       that is as new as the question. To make it drop them before the answer would not do: the
 *       kernel ignores attributes that were asked for before, and with them the file's size. It
 *       does so, too, when a write of this mount ended meanwhile: so while there are any, pages are
 *       dropped in both ways, and it is told besides how long the file is at least.
 * </ol>
 *
 * <p>What is read without asking, a mapping and sendfile(2), is looked after from here: when
 * another mount changes an open file ({@link #changedElsewhere}), and each second ({@link #sweep}).
 *
 * <p>Thread-safe.
 */
public final class KernelPages {
  private static final Logger log = LoggerFactory.getLogger(KernelPages.class);

  /** No version; of pages that are in doubt. */
  private static final long DOUBT = -1;

  /** Who reads so often drops old pages by that, and those of mappings with them. */
  private static final Duration OFTEN = Duration.ofSeconds(1);

  /** So many nanoseconds a modification time may be off in answers to who reads. */
  private static final int TOGGLES = 1000;

  /** Files, of some 100 bytes each. */
  private static final int MOST = 100_000;

  private static final int TRIMMED = 1_000;

  private final Waiting waiting;
  private final OpenInodes inodes;
  private final TimeSource time;
  private final LongSupplier session;
  private final LongFunction<Attributes> ask;
  private final Map<Long, Pages> known = new ConcurrentHashMap<>();
  private final AtomicBoolean trimming = new AtomicBoolean();
  private final AtomicBoolean sweeping = new AtomicBoolean();
  private volatile @Nullable Kernel kernel;
  private volatile boolean inherited;

  /** What the kernel is told. Completes when it has done so. */
  public interface Kernel {
    /** Drops all pages of a file, and waits for reads of it that are under way. */
    CompletableFuture<?> forgetPages(long inode);

    /** As {@link #forgetPages}; then the file is known to be so long, or longer. */
    CompletableFuture<?> forgetPages(long inode, long size);
  }

  /** Under its monitor. */
  private static final class Pages {
    private long version;
    private int toggles;
    private long askedNanos;
    private boolean used = true;

    /** It is being looked after, perhaps once more when that has ended. */
    private boolean looking;

    private boolean again;

    /** Taken out of the map: to be looked up again. */
    private boolean gone;

    Pages(long version, long now) {
      this.version = version;
      this.askedNanos = now;
    }
  }

  /**
   * @param session that the mount has now
   * @param ask the file's attributes as they are now
   */
  KernelPages(
      Waiting waiting,
      OpenInodes inodes,
      TimeSource time,
      LongSupplier session,
      LongFunction<Attributes> ask) {
    this.waiting = waiting;
    this.inodes = inodes;
    this.time = time;
    this.session = session;
    this.ask = ask;
  }

  /**
   * The kernel has pages from now on; before, none is looked after.
   *
   * @param mayHave whether it may have some of an earlier daemon
   */
  public void serves(Kernel other, boolean mayHave) {
    inherited = mayHave;
    kernel = other;
  }

  // ---- what is read into pages

  /**
   * A file is opened for reading alone: whether what is read may come from pages that there are.
   */
  boolean mayKeep(Attributes file) {
    Kernel serving = kernel;
    if (serving == null || isWritten(file)) {
      return false;
    }
    use(file.inode(), file.writers().version());
    if (!areTrusted(file)) {
      drop(serving, file);
    }
    return true;
  }

  /** Nobody writes the file. */
  private void drop(Kernel serving, Attributes file) {
    await(serving.forgetPages(file.inode()));
    Pages pages = use(file.inode(), DOUBT);
    synchronized (pages) {
      pages.version = file.writers().version();
    }
  }

  private void await(CompletableFuture<?> forgotten) {
    waiting.<@Nullable Object>change(forgotten.thenApply(done -> done));
  }

  /** Before bytes are read for the kernel, the attributes as they were just now. */
  void reads(Attributes file) {
    if (kernel != null) {
      reads(file.inode(), isWritten(file) ? DOUBT : file.writers().version());
    }
  }

  /** As {@link #reads}, of a file that this mount has the write lease of. */
  void readsWritten(long inode) {
    if (kernel != null) {
      reads(inode, DOUBT);
    }
  }

  private void reads(long inode, long version) {
    Pages pages = use(inode, version);
    if (version == DOUBT) {
      synchronized (pages) {
        pages.version = DOUBT;
      }
    }
  }

  /** If there were no pages, all that there are will be of this version. */
  private Pages use(long inode, long version) {
    while (true) {
      Pages pages =
          known.computeIfAbsent(
              inode, _ -> new Pages(inherited ? DOUBT : version, time.nanoTime()));
      synchronized (pages) {
        if (!pages.gone) {
          pages.used = true;
          trimIfFull();
          return pages;
        }
      }
    }
  }

  // ---- what of it may be used

  /** Whether the kernel may use its pages without asking, as long as it has these attributes. */
  public boolean trusts(Attributes shown) {
    if (kernel == null || !shown.isRegular() || areTrusted(shown)) {
      return true;
    }
    if (inherited && !isWritten(shown)) {
      // Or its attributes would be asked for each time, whether it has pages or not.
      Pages pages = use(shown.inode(), DOUBT);
      synchronized (pages) {
        lookAfter(shown.inode(), pages);
      }
    }
    return false;
  }

  private boolean areTrusted(Attributes file) {
    Pages pages = known.get(file.inode());
    if (pages == null) {
      return !inherited;
    }
    synchronized (pages) {
      return areTrusted(pages, file);
    }
  }

  /** Under the monitor. */
  private static boolean areTrusted(Pages pages, Attributes file) {
    return !isWritten(file) && pages.version == file.writers().version();
  }

  /**
   * What the kernel is to have before it reads: the attributes as they are, or it drops its pages.
   */
  Attributes toRead(Attributes file) {
    Kernel serving = kernel;
    Pages pages = serving == null ? null : known.get(file.inode());
    if (serving == null || pages == null) {
      return file;
    }
    long shown;
    synchronized (pages) {
      pages.askedNanos = time.nanoTime();
      if (areTrusted(pages, file)) {
        return file;
      }
      pages.toggles = pages.toggles % TOGGLES + 1;
      if (!isWritten(file)) {
        lookAfter(file.inode(), pages);
      }
      shown = file.mtime() + pages.toggles;
    }
    if (isWrittenHere(file)) {
      await(serving.forgetPages(file.inode(), file.size()));
    }
    return file.modified(shown);
  }

  private static boolean isWritten(Attributes file) {
    return file.holder() != 0 || !file.writers().sessions().isEmpty();
  }

  private boolean isWrittenHere(Attributes file) {
    long here = session.getAsLong();
    return file.holder() == here || file.writers().sessions().contains(here);
  }

  // ---- what is used without asking

  /** Another mount has changed something of the file. */
  public void changedElsewhere(long inode) {
    Pages pages = kernel == null || inodes.peek(inode) == null ? null : known.get(inode);
    if (pages != null) {
      synchronized (pages) {
        lookAfter(inode, pages);
      }
    }
  }

  /** Once at a time; under the monitor. */
  private void lookAfter(long inode, Pages pages) {
    if (pages.looking) {
      pages.again = true;
      return;
    }
    pages.looking = true;
    Thread.ofVirtual().name("pages of " + inode).start(() -> looking(inode, pages));
  }

  private void looking(long inode, Pages pages) {
    while (true) {
      check(inode);
      synchronized (pages) {
        if (!pages.again) {
          pages.looking = false;
          return;
        }
        pages.again = false;
      }
    }
  }

  /** Looks after all files that are open; to be called each second. */
  public void sweep() {
    if (kernel != null && !known.isEmpty() && sweeping.compareAndSet(false, true)) {
      Thread.ofVirtual().name("pages").start(this::checkAll);
    }
  }

  private void checkAll() {
    try {
      known.keySet().stream().filter(inode -> inodes.peek(inode) != null).forEach(this::check);
    } finally {
      sweeping.set(false);
    }
  }

  private void check(long inode) {
    Kernel serving = kernel;
    try {
      Attributes file = ask.apply(inode);
      if (serving == null || areTrusted(file)) {
        return;
      }
      if (!isWritten(file)) {
        drop(serving, file);
      } else if (!isReadOften(inode)) {
        await(serving.forgetPages(inode));
      }
    } catch (TrefoilException e) {
      log.debug("pages of inode {} could not be looked after", inode, e);
    }
  }

  private boolean isReadOften(long inode) {
    Pages pages = known.get(inode);
    if (pages == null) {
      return false;
    }
    synchronized (pages) {
      return time.nanoTime() - pages.askedNanos < OFTEN.toNanos();
    }
  }

  // ---- bounds

  private void trimIfFull() {
    Kernel serving = kernel;
    if (serving != null && known.size() > MOST && trimming.compareAndSet(false, true)) {
      Thread.ofVirtual().name("pages").start(() -> trim(serving));
    }
  }

  private void trim(Kernel serving) {
    List<CompletableFuture<?>> forgotten = new ArrayList<>(TRIMMED);
    known.entrySet().stream()
        .filter(one -> inodes.peek(one.getKey()) == null)
        .limit(TRIMMED)
        .forEach(one -> forgotten.add(forget(serving, one.getKey(), one.getValue())));
    CompletableFuture.allOf(forgotten.toArray(CompletableFuture[]::new))
        .whenComplete((done, failure) -> trimming.set(false));
  }

  /** Nothing is known of the file any more, once the kernel has no page of it. */
  private CompletableFuture<?> forget(Kernel serving, long inode, Pages pages) {
    synchronized (pages) {
      pages.version = DOUBT;
      pages.used = false;
    }
    return serving
        .forgetPages(inode)
        .thenAccept(
            done -> {
              synchronized (pages) {
                if (!pages.used) {
                  pages.gone = known.remove(inode, pages);
                }
              }
            });
  }
}
