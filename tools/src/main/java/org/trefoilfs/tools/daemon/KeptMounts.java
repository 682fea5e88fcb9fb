package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountNote;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.observe.Observation;

/**
 * A daemon's mounts, remembered in {@code DIR/mounts.json}: a daemon that is started again serves
 * on those that a keeper has kept, and mounts the others again. Taking a mount off by other means
 * than {@link #unmount} does not make it forgotten, as umount(8) does not edit fstab(5). Guarded by
 * its own monitor, which is never held while something is mounted or unmounted.
 */
public final class KeptMounts implements AutoCloseable {
  public static final String NAME = "mounts.json";

  /** A machine has few mounts; more than this is a mistake of the caller's. */
  private static final int MAX_MOUNTS = 256;

  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(KeptMounts.class);

  private final Path data;
  private final Path file;
  private final String hostName;
  private final Mounter mounter;
  private final Map<Path, Entry> entries = new LinkedHashMap<>();
  private final CountDownLatch closing = new CountDownLatch(1);

  /** Mounts, and registers who did. */
  public interface Mounter {
    MountHandle mount(MountSpec spec);

    /** Serves on what an earlier daemon has left there; empty when that cannot be. */
    Optional<MountHandle> resume(MountSpec spec);

    void forgotten(Path directory);
  }

  /** What {@code mounts.json} holds. */
  public record Remembered(List<MountSpec> mounts) {}

  private static final class Entry {
    final MountSpec spec;
    @Nullable MountHandle handle;
    String problem = "";

    Entry(MountSpec spec) {
      this.spec = spec;
    }
  }

  public KeptMounts(Path data, String hostName, Mounter mounter) {
    this.data = data;
    this.file = data.resolve(NAME);
    this.hostName = hostName;
    this.mounter = mounter;
  }

  /** Mounts again what is remembered, in the background, each until it succeeds. */
  public void restore() {
    for (MountSpec spec : load(file)) {
      Entry entry = new Entry(spec);
      entry.problem = "not mounted yet after the restart";
      synchronized (this) {
        entries.put(spec.path(), entry);
      }
      Thread.ofVirtual().name("remount " + spec.directory()).start(() -> remount(entry));
    }
  }

  private void remount(Entry entry) {
    try {
      do {
        try {
          finish(entry, mounter.resume(entry.spec).orElseGet(() -> mountAnew(entry.spec)));
          return;
        } catch (RuntimeException e) {
          note(entry, TrefoilException.of(e));
        }
      } while (isKept(entry) && !closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private MountHandle mountAnew(MountSpec spec) {
    MountPoints.detachDead(spec.path());
    return attach(spec);
  }

  private synchronized void note(Entry entry, TrefoilException failure) {
    String problem = String.valueOf(failure.getMessage());
    if (!problem.equals(entry.problem)) {
      LOG.warn("{} could not be mounted again: {}", entry.spec.directory(), problem);
    }
    entry.problem = problem;
  }

  private synchronized boolean isKept(Entry entry) {
    return entries.get(entry.spec.path()) == entry;
  }

  /** Mounts and remembers. BUSY when something is, or is being, mounted there already. */
  public void mount(MountSpec spec) {
    Entry entry = new Entry(spec);
    entry.problem = "being mounted";
    Entry ended = reserve(entry);
    if (ended != null) {
      detach(ended);
    }
    try {
      finish(entry, attach(spec));
    } catch (RuntimeException e) {
      synchronized (this) {
        entries.remove(spec.path(), entry);
        notifyAll();
      }
      throw e;
    }
    save();
  }

  /** Takes the place, and gives back a mount that was there and was taken off by other means. */
  private synchronized @Nullable Entry reserve(Entry entry) {
    Path place = entry.spec.path();
    Entry present = entries.get(place);
    if (present != null && present.handle == null) {
      throw new TrefoilException(
          Reason.BUSY,
          place
              + ": volume "
              + present.spec.volume()
              + " is still to be mounted here ("
              + present.problem
              + "); wait, or run: trefoil unmount "
              + place);
    }
    MountPoints.check(entry.spec);
    if (entries.size() >= MAX_MOUNTS) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          place + ": this host has " + MAX_MOUNTS + " mounts, its limit; unmount one first");
    }
    return entries.put(place, entry);
  }

  private MountHandle attach(MountSpec spec) {
    MountPoints.check(spec);
    return mounter.mount(spec);
  }

  /** A mount that was forgotten while it came up is taken off at once. */
  private void finish(Entry entry, MountHandle handle) {
    boolean kept;
    synchronized (this) {
      kept = isKept(entry) && closing.getCount() > 0;
      entry.handle = handle;
      entry.problem = "";
      notifyAll();
    }
    if (!kept) {
      handle.close();
      return;
    }
    LOG.info("mounted {} at {}", entry.spec.volume(), entry.spec.directory());
    var unused =
        handle
            .ended()
            .whenComplete(
                (done, failure) -> LOG.info("mount at {} has ended", entry.spec.directory()));
  }

  /** Unmounts and forgets. NOT_FOUND when there is no such mount here. */
  public void unmount(Path directory) {
    Entry entry;
    synchronized (this) {
      entry = entries.remove(directory);
      notifyAll();
    }
    if (entry == null) {
      throw new TrefoilException(Reason.NOT_FOUND, directory + ": not a mount of host " + hostName);
    }
    save();
    detach(entry);
    mounter.forgotten(directory);
    LOG.info("unmounted {}", directory);
  }

  /**
   * Whatever still shows after the handle is closed is taken off lazily: unmounting always works.
   */
  private void detach(Entry entry) {
    MountHandle handle = entry.handle;
    if (handle == null) {
      MountNote.abandon(data, entry.spec.path());
      return;
    }
    try {
      handle.close();
    } catch (RuntimeException e) {
      LOG.warn("{} did not unmount cleanly", entry.spec.directory(), e);
    }
    if (!handle.ended().isDone()) {
      MountPoints.detach(entry.spec.path());
    }
  }

  public synchronized List<MountLine> lines() {
    return entries.values().stream().map(this::line).toList();
  }

  /** What those that are served have done. */
  public synchronized List<Observation.Mount> figures() {
    List<Observation.Mount> all = new ArrayList<>();
    for (Entry entry : entries.values()) {
      MountHandle handle = entry.handle;
      if (handle != null) {
        all.add(
            new Observation.Mount(entry.spec.directory(), entry.spec.volume(), handle.figures()));
      }
    }
    return all;
  }

  private MountLine line(Entry entry) {
    return new MountLine(
        entry.spec.directory(), entry.spec.volume(), hostName, state(entry), entry.problem);
  }

  /** The mount that is remembered at a directory; one that comes up is waited for. */
  public synchronized Optional<MountLine> awaited(Path directory, Duration patience)
      throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    Entry entry = entries.get(directory);
    while (entry != null && entry.handle == null) {
      long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        break;
      }
      wait(leftMillis);
      entry = entries.get(directory);
    }
    return Optional.ofNullable(entry).map(this::line);
  }

  /** The directory where this volume is mounted, if it is. */
  public synchronized Optional<Path> mountOf(String volume) {
    return entries.values().stream()
        .filter(entry -> entry.spec.volume().equals(volume))
        .map(entry -> entry.spec.path())
        .findFirst();
  }

  private static String state(Entry entry) {
    MountHandle handle = entry.handle;
    if (handle == null) {
      return "waiting";
    }
    return handle.ended().isDone() ? "unmounted" : "mounted";
  }

  /** Unmounts all at once, and keeps them remembered. */
  @Override
  public void close() {
    close(none -> false);
  }

  /**
   * The same.
   *
   * @param staying those that are left to the next daemon all the same
   */
  public void close(Predicate<Path> staying) {
    closing.countDown();
    Map<Boolean, List<Entry>> stays =
        entries().stream()
            .collect(Collectors.partitioningBy(entry -> staying.test(entry.spec.path())));
    eachAtOnce(stays.getOrDefault(true, List.of()), KeptMounts::leave);
    List<Entry> goes = stays.getOrDefault(false, List.of());
    eachAtOnce(goes, this::detach);
    goes.forEach(entry -> mounter.forgotten(entry.spec.path()));
  }

  /** Leaves to the next daemon those that can outlive this one, and unmounts the others. */
  public void leave() {
    closing.countDown();
    eachAtOnce(entries(), KeptMounts::leave);
  }

  private static void leave(Entry entry) {
    MountHandle handle = entry.handle;
    if (handle != null) {
      handle.leave();
    }
  }

  private synchronized List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  private static void eachAtOnce(List<Entry> entries, Consumer<Entry> action) {
    List<Thread> threads =
        entries.stream()
            .map(entry -> Thread.ofVirtual().start(() -> action.accept(entry)))
            .toList();
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private synchronized void save() {
    Json.store(file, new Remembered(entries.values().stream().map(entry -> entry.spec).toList()));
  }

  /**
   * What is remembered in the directory of a daemon that does not run, or has yet to restore it.
   */
  public static List<MountSpec> remembered(Path data) {
    return load(data.resolve(NAME));
  }

  private static List<MountSpec> load(Path file) {
    return Json.load(file, Remembered.class).map(Remembered::mounts).orElse(List.of());
  }

  /**
   * Takes a mount out of the memory of a daemon that does not run; calls on it that wait for one
   * fail.
   */
  public static void forget(Path data, Path directory) {
    MountNote.abandon(data, directory);
    Path file = data.resolve(NAME);
    List<MountSpec> mounts = load(file);
    List<MountSpec> kept = mounts.stream().filter(spec -> !spec.path().equals(directory)).toList();
    if (kept.size() < mounts.size()) {
      Json.store(file, new Remembered(kept));
    }
  }
}
