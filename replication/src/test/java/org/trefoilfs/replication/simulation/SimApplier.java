package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.host.RecoveredHost;
import org.trefoilfs.replication.journal.JournalRecord;

/**
 * Brings committed entries and images into the store once their records are synced, and lays the
 * entries over it until then: {@code Applier} without its thread. Now and then it does {@code
 * Checkpoint}'s work.
 */
final class SimApplier {
  private static final long LINGER = 100 * Network.MILLI;

  private final SimHost host;
  private final SimDisk disk;

  /** In the order in which they were committed, or came, here. */
  private final LinkedHashSet<Work> waiting = new LinkedHashSet<>();

  private boolean lingering;

  private sealed interface Work {
    long position();

    record Apply(Entry entry) implements Work {
      @Override
      public long position() {
        return entry.position();
      }
    }

    record Install(long position, Runnable action) implements Work {}
  }

  SimApplier(SimHost host) {
    this.host = host;
    disk = host.disk;
  }

  void committed(Entry entry) {
    waiting.add(new Work.Apply(entry));
    if (!lingering) {
      lingering = true;
      host.later(
          LINGER,
          () -> {
            lingering = false;
            var unused = barrier();
          });
    }
  }

  /** Completes when all that was committed here by now is applied. */
  CompletableFuture<Void> barrier() {
    List<Work> batch = List.copyOf(waiting);
    Set<Integer> groups = new TreeSet<>();
    long position = 0;
    for (Work work : batch) {
      switch (work) {
        case Work.Apply(Entry entry) -> groups.add(entry.pg());
        case Work.Install install -> position = Math.max(position, install.position());
      }
    }
    for (int pg : groups) {
      position = Math.max(position, journalCommitted(pg));
    }
    return disk.sync(position).thenRun(() -> batch.forEach(this::perform));
  }

  private void perform(Work work) {
    if (!waiting.remove(work)) {
      return;
    }
    switch (work) {
      case Work.Apply(Entry entry) -> apply(entry);
      case Work.Install install -> install.action().run();
    }
  }

  private void apply(Entry entry) {
    if (entry.n() > disk.store.appliedNumber(entry.pg(), entry.mutation().chunk())) {
      disk.store.apply(entry.pg(), entry.mutation(), entry.version(), ChunkStore.Redo.FIRST);
    }
  }

  /** The record is journaled; the store is changed once it is synced, in the order of calls. */
  private CompletableFuture<Void> once(long position, Runnable action) {
    waiting.add(new Work.Install(position, action));
    return barrier();
  }

  /** The block as committed here. Throws CORRUPT. */
  long block(int pg, ChunkId chunk, int block) {
    if (waiting.isEmpty()) {
      return disk.store.block(pg, chunk, block);
    }
    Mutation.Write newest = null;
    long applied = disk.store.appliedNumber(pg, chunk);
    for (Work work : waiting) {
      if (work instanceof Work.Apply(Entry entry)
          && entry.pg() == pg
          && entry.n() > applied
          && entry.mutation() instanceof Mutation.Write write
          && write.offset() == block * SimStore.BLOCK_BYTES
          && write.chunk().equals(chunk)) {
        newest = write;
      }
    }
    return newest == null ? disk.store.block(pg, chunk, block) : SimStore.value(newest.data());
  }

  ChunkImage image(int pg, ChunkId chunk, BlockSet blocks) {
    return disk.store.image(pg, chunk, blocks).orElseGet(() -> nothing(chunk));
  }

  static ChunkImage nothing(ChunkId chunk) {
    return new ChunkImage(chunk, Version.NONE, List.of());
  }

  /** Replaces a damaged chunk, unless the image is older than what is applied. */
  void install(int pg, ChunkImage image) {
    if (image.version().n() >= disk.store.appliedNumber(pg, image.id())) {
      var unused = installJournaled(pg, image, waitingFor(image.id()));
    }
  }

  /** Replaces the chunk, whatever is here: a joiner takes what its primary has. */
  CompletableFuture<Void> replace(int pg, ChunkImage image, List<Entry> kept) {
    waitingFor(image.id()).forEach(entry -> waiting.remove(new Work.Apply(entry)));
    return installJournaled(pg, image, kept);
  }

  private List<Entry> waitingFor(ChunkId chunk) {
    List<Entry> entries = new ArrayList<>();
    for (Work work : waiting) {
      if (work instanceof Work.Apply(Entry entry) && entry.mutation().chunk().equals(chunk)) {
        entries.add(entry);
      }
    }
    return entries;
  }

  private CompletableFuture<Void> installJournaled(int pg, ChunkImage image, List<Entry> entries) {
    List<Entry> newer = entries.stream().filter(entry -> entry.n() > image.version().n()).toList();
    ChunkImage merged = merged(image, newer);
    journalCommitted(pg);
    long position = journal(new JournalRecord.Installed(pg, merged));
    return once(position, () -> RecoveredHost.install(disk.store, pg, merged));
  }

  private static ChunkImage merged(ChunkImage image, List<Entry> newer) {
    if (newer.isEmpty()) {
      return image;
    }
    TreeMap<Integer, Extent> extents = new TreeMap<>();
    image.extents().forEach(extent -> extents.put(extent.offset(), extent));
    for (Entry entry : newer) {
      Mutation.Write write = (Mutation.Write) entry.mutation();
      extents.put(write.offset(), new Extent(write.offset(), write.data()));
    }
    return new ChunkImage(image.id(), newer.getLast().version(), List.copyOf(extents.values()));
  }

  /** Replaces these blocks; {@code kept} are writes to them that came while they were fetched. */
  CompletableFuture<Void> patch(int pg, ChunkImage image, BlockSet blocks, List<Entry> kept) {
    journalCommitted(pg);
    ChunkImage merged = merged(image, kept);
    long position = journal(new JournalRecord.Patched(pg, merged, blocks));
    return once(position, () -> RecoveredHost.patch(disk.store, pg, merged, blocks));
  }

  private long journal(JournalRecord image) {
    long position = host.groups.append(image);
    host.groups.group(image.pg()).log().imageAt(position);
    return position;
  }

  private long journalCommitted(int pg) {
    GroupLog log = host.groups.group(pg).log();
    return host.groups.append(
        new JournalRecord.Committed(pg, log.last().view(), log.commitIndex()));
  }

  /** What lies before the oldest record still needed is in chunks on stable storage. */
  void checkpoint() {
    long needed = disk.end();
    for (Group group : host.groups.all()) {
      for (Entry entry : group.log().suffix()) {
        needed = Math.min(needed, entry.position() - 1);
      }
    }
    for (Work work : waiting) {
      needed = Math.min(needed, work.position() - 1);
    }
    needed = withWhatImagesNeed(needed);
    long last = 0;
    for (Group group : host.groups.all()) {
      if (group.log().lastN() > 0) {
        last =
            host.groups.append(
                new JournalRecord.Committed(
                    group.log().pg(), group.log().last().view(), group.log().commitIndex()));
        var answered = host.groups.committedIn(group.log().pg());
        if (!answered.isEmpty()) {
          last = host.groups.append(new JournalRecord.Answered(group.log().pg(), answered));
        }
      }
      if (group.log().lastN() > 0 || !group.log().copyState().isComplete()) {
        last = host.groups.append(group.log().copyState().record(group.log().pg()));
      }
    }
    long released = needed;
    host.world.trace.add(() -> host.id + " releases its journal up to " + released);
    var unused =
        disk.sync(last)
            .thenRun(
                () -> {
                  disk.store.sync();
                  disk.release(released);
                  host.groups.all().forEach(group -> group.log().released(released));
                });
  }

  private long withWhatImagesNeed(long wanted) {
    long needed = wanted;
    long before;
    do {
      before = needed;
      for (Group group : host.groups.all()) {
        needed = group.log().releasable(needed);
      }
    } while (needed < before);
    return needed;
  }
}
