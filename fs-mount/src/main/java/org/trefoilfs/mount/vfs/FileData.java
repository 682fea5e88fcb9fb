package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.layout.FileLayout;
import org.trefoilfs.mount.namespace.AttributeChange;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.Names.Privileges;
import org.trefoilfs.mount.namespace.Request;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Zeros;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.volume.Volume;

/**
 * The bytes of files: data before size, so that a size never covers bytes that are not stored.
 *
 * <p>Bytes of a failed write may lie beyond the end of a file. Growing a file explicitly zeroes the
 * rest of its last chunk first. A write that leaves a gap zeroes only what this mount knows to have
 * failed: punching the whole gap could destroy what another mount is just writing there.
 */
final class FileData {
  /** Mode bits that a write by an unprivileged process clears: S_ISUID, S_ISGID. */
  private static final int SET_ID = 06000;

  private final Names names;
  private final Volume volume;
  private final TimeSource time;
  private final Waiting waiting;
  private final WriteBack writeBack;
  private final WritingFiles writing;
  private final KernelPages pages;

  FileData(
      Names names,
      Volume volume,
      TimeSource time,
      Waiting waiting,
      WriteBack writeBack,
      KernelPages pages) {
    this.names = names;
    this.volume = volume;
    this.time = time;
    this.waiting = waiting;
    this.writeBack = writeBack;
    this.writing = writeBack.writing();
    this.pages = pages;
  }

  /** At most {@code length} bytes, fewer at the end of the file. */
  ByteBuffer read(OpenInode inode, long offset, int length) {
    while (true) {
      // Size first, bytes after: the other way round, bytes from before an append of another mount
      // could meet the size from after it, and read as zeros.
      @Nullable Long leased = writeBack.size(inode.number());
      long size = leased == null ? sizeToRead(inode) : leased(inode, leased);
      ByteBuffer bytes = readBelow(inode.number(), size, offset, length);
      if (leased == null || writeBack.isAlive()) {
        return bytes;
      }
    }
  }

  private long sizeToRead(OpenInode inode) {
    Attributes now = attributes(inode);
    pages.reads(now);
    return writeBack.overlaid(now).size();
  }

  private long leased(OpenInode inode, long size) {
    pages.readsWritten(inode.number());
    return size;
  }

  private ByteBuffer readBelow(long inode, long size, long offset, int length) {
    int count = (int) Math.min(Math.max(0, size - offset), length);
    return count == 0
        ? ByteBuffer.allocate(0)
        : writeBack.read(inode, () -> waiting.read(volume.read(inode, offset, count)), offset);
  }

  /**
   * How many bytes were written: all.
   *
   * @param session in which alone the write may be made; empty: in whatever the mount has
   */
  int write(OpenInode inode, WriteRequest wanted, OptionalLong session) {
    int length = wanted.data().remaining();
    FileLayout.end(wanted.offset(), length);
    WriteRequest request = wanted.fromPages() ? withinFile(inode, wanted) : wanted;
    if (!request.data().hasRemaining() || isAppended(inode, request)) {
      return length;
    }
    if (!writeBack.write(inode, request, session)) {
      writeThrough(inode, request, session);
    }
    if (request.dataSync()) {
      syncData(inode);
    }
    return length;
  }

  /** What a process has stored into its mapping makes no file longer that was cut off meanwhile. */
  private WriteRequest withinFile(OpenInode inode, WriteRequest request) {
    long size = writeBack.overlaid(attributes(inode)).size();
    int length = (int) Math.clamp(size - request.offset(), 0, request.data().remaining());
    return request.first(length);
  }

  /**
   * Whether an earlier daemon has appended this. What it had taken into its spool is in the volume
   * by now; the spool kept no request with it, so the bytes at the kernel's offset tell.
   */
  private boolean isAppended(OpenInode inode, WriteRequest request) {
    Request current = Request.current();
    if (!request.append() || !current.isResent()) {
      return false;
    }
    attributes(inode);
    return current.isDone()
        || (writeBack.isAsync(inode)
            && read(inode, request.offset(), request.data().remaining()).equals(request.data()));
  }

  private void writeThrough(OpenInode inode, WriteRequest request, OptionalLong session) {
    if (writeBack.mayBeLeased(inode)) {
      attributes(inode);
    }
    if (request.append()) {
      append(inode, request, session);
    } else {
      writeAt(inode, request, session);
    }
  }

  private void writeAt(OpenInode inode, WriteRequest request, OptionalLong session) {
    boolean gap;
    waiting.lock(inode.shared());
    try (WritingFiles.Use to = writing.begin(inode.number(), session)) {
      // Asked beside the write, not before: what it costs is hidden behind the replicas.
      CompletableFuture<Attributes> asked = names.lookup(Location.of(inode.number()));
      store(to, inode, request.offset(), request.data());
      Attributes known = inode.seen(waiting.read(asked));
      if (writeBack.isForeign(known)) {
        // Taken meanwhile, or by a rule that was not known here: what was written there before
        // this write must not come over it.
        known = attributes(inode);
        store(to, inode, request.offset(), request.data());
      }
      gap = request.offset() > known.size() && inode.suspectEnd() > known.size();
      if (!gap) {
        report(inode, request, known);
      }
    } finally {
      inode.shared().unlock();
    }
    if (gap) {
      extendOverSuspect(inode, request);
    }
  }

  private void extendOverSuspect(OpenInode inode, WriteRequest request) {
    exclusively(
        inode,
        () -> {
          Attributes known = attributes(inode);
          long until = Math.min(request.offset(), inode.suspectEnd());
          punch(inode, known.size(), until - known.size(), OptionalLong.empty());
          report(inode, request, known);
          return known;
        });
  }

  /** The kernel's offset is its own idea of the size, which another mount may have outrun: ask. */
  private void append(OpenInode inode, WriteRequest request, OptionalLong session) {
    exclusively(
        inode,
        () ->
            writeBack
                .appends()
                .alone(
                    inode.number(),
                    leased -> {
                      if (session.isPresent() && session.getAsLong() != leased) {
                        throw WriteBack.isOver(inode.number());
                      }
                      return appendAlone(inode, request, OptionalLong.of(leased));
                    }));
  }

  private Attributes appendAlone(OpenInode inode, WriteRequest request, OptionalLong leased) {
    Attributes known = attributes(inode);
    long end = FileLayout.end(known.size(), request.data().remaining());
    try (WritingFiles.Use to = writing.begin(inode.number(), leased)) {
      store(to, inode, known.size(), request.data());
    }
    return told(
        inode,
        waiting.change(
            names.appended(
                inode.number(),
                start(known.size(), request.data()),
                end,
                time.wallNanos(),
                privileges(known, request.caller()))));
  }

  private void store(WritingFiles.Use to, OpenInode inode, long offset, ByteBuffer data) {
    try {
      to.await(volume.inSession(to::session).write(inode.number(), offset, data.duplicate()));
    } catch (TrefoilException e) {
      inode.suspect(offset + data.remaining());
      throw e;
    }
  }

  private void punch(OpenInode inode, long offset, long length, OptionalLong session) {
    if (length > 0) {
      try (WritingFiles.Use in = writing.begin(inode.number(), session)) {
        in.await(volume.inSession(in::session).punch(inode.number(), offset, length));
      }
    }
  }

  private void report(OpenInode inode, WriteRequest request, Attributes known) {
    long from = start(request.offset(), request.data());
    long end = request.offset() + request.data().remaining();
    boolean grows = end > known.size();
    Privileges privileges = privileges(known, request.caller());
    long now = time.wallNanos();
    if (grows
        || privileges == Privileges.CLEAR_SET_ID
        || (from == Names.HOLES && !known.mayHaveHoles())) {
      told(inode, waiting.change(inode.reports().report(from, grows ? end : 0, now, privileges)));
    } else {
      inode.reports().touched(now);
    }
  }

  /** Where what the namespace is told of begins, see {@link Names#wrote}. */
  private static long start(long offset, ByteBuffer data) {
    return Zeros.mayFillBlock(offset, data) ? Names.HOLES : offset;
  }

  private static Privileges privileges(Attributes known, Caller caller) {
    boolean loses = !caller.isRoot() && (known.mode() & SET_ID) != 0;
    return loses ? Privileges.CLEAR_SET_ID : Privileges.KEEP;
  }

  /** A holder that came meanwhile goes by a size from before this write: it is asked to let go. */
  private Attributes told(OpenInode inode, Attributes told) {
    return writeBack.isForeign(told) ? attributes(inode) : told;
  }

  /** setattr with a size, or with times that no earlier write may overtake. */
  Attributes setAttributes(OpenInode inode, AttributeChange change) {
    return exclusively(
        inode,
        () -> {
          writeBack.end(inode.number());
          waiting.change(inode.reports().drain());
          if (change.size().isPresent() && !Request.current().isDone()) {
            prepareResize(inode, attributes(inode).size(), change.size().getAsLong());
          }
          return waiting.change(names.setAttributes(Location.of(inode.number()), change));
        });
  }

  private void prepareResize(OpenInode inode, long size, long wanted) {
    FileLayout.end(wanted, 0);
    long end = Math.max(wanted < size ? size : FileLayout.chunkEnd(size), inode.suspectEnd());
    long start = Math.min(size, wanted);
    if (end > start && wanted != size) {
      punch(inode, start, end - start, OptionalLong.empty());
      inode.cleared(end);
    }
  }

  /** fallocate(2); the session as in {@link #write}. */
  void allocate(OpenInode inode, AllocateRequest request, OptionalLong session) {
    exclusively(
        inode,
        () -> {
          writeBack.end(inode.number());
          Attributes known = attributes(inode);
          switch (request) {
            case AllocateRequest.Grow(long end) -> grow(inode, known, end);
            case AllocateRequest.Keep() -> {}
            case AllocateRequest.Punch(long offset, long length) ->
                clear(inode, known, offset, length, session);
            case AllocateRequest.Zero(long offset, long length, boolean grows) -> {
              clear(inode, known, offset, length, session);
              grow(inode, known, grows ? offset + length : 0);
            }
          }
          inode.reports().touched(time.wallNanos());
          return known;
        });
  }

  private void grow(OpenInode inode, Attributes known, long end) {
    if (end > known.size()) {
      prepareResize(inode, known.size(), end);
      waiting.change(inode.reports().report(Names.HOLES, end, time.wallNanos(), Privileges.KEEP));
    }
  }

  private void clear(
      OpenInode inode, Attributes known, long offset, long length, OptionalLong session) {
    long end = Math.min(offset + length, known.size());
    if (end <= offset) {
      return;
    }
    if (!known.mayHaveHoles()) {
      // Before there is one: nobody would look for it, should this mount die in between.
      waiting.change(inode.reports().report(Names.HOLES, 0, time.wallNanos(), Privileges.KEEP));
    }
    punch(inode, offset, end - offset, session);
  }

  void flush(OpenInode inode) {
    writeBack.checkLost(inode.number());
    waiting.change(inode.reports().drain());
  }

  /** fsync(2): the replicas flush while the namespace is told of the time. */
  void sync(OpenInode inode) {
    writeBack.drain(inode.number());
    CompletableFuture<Void> flushed = volume.flush(inode.number());
    waiting.change(inode.reports().drain());
    waiting.change(flushed);
  }

  /** fdatasync(2), which times do not wait for; sizes are told before a write is answered. */
  void syncData(OpenInode inode) {
    writeBack.drain(inode.number());
    waiting.change(volume.flush(inode.number()));
  }

  private Attributes attributes(OpenInode inode) {
    return inode.seen(writeBack.settled(() -> names.lookup(Location.of(inode.number()))));
  }

  private Attributes exclusively(OpenInode inode, java.util.function.Supplier<Attributes> action) {
    Lock lock = inode.exclusive();
    waiting.lock(lock);
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }
}
