package org.trefoilfs.mount.fuse.kernel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The open files of a mount in memory that a {@link Keeper} keeps, too: written at each open and
 * close at the cost of a few stores, and whole at whatever instruction a daemon is killed.
 *
 * <pre>
 * header   u64 numbers given up to now, at most   u64 slots in use, at most    u64 unused[2]
 * slot     u64 handle, 0: free                    u64 inode   u64 request      u64 1: locks
 * and behind the last slot: SharedPlaces
 * </pre>
 */
final class SharedHandles implements HandleTable {
  /** As many files as a mount may have open (Handles.LIMIT of vfs), and a header. */
  private static final long SLOTS = (1 << 20) + 1;

  private static final long SLOT = 32;
  private static final long IN_USE = 8;
  private static final long INODE = 8;
  private static final long REQUEST = 16;
  private static final long LOCKS = 24;

  /** More than one daemon ever numbers. */
  private static final long NUMBERS = 1L << 40;

  static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  /** Pages appear as they are used; unmapped when nothing refers to it any more. */
  private final MemorySegment memory;

  private final SharedPlaces places;
  private final long before;
  private final List<Open> left = new ArrayList<>();
  private final List<Open> leftLocked = new ArrayList<>();
  private final Map<Long, Long> slots = new HashMap<>();
  private final Queue<Long> free = new ArrayDeque<>();

  /**
   * @param descriptor of the memory; not needed any more afterwards
   */
  SharedHandles(int descriptor) {
    try (FileChannel channel =
        FileChannel.open(
            Path.of("/proc/self/fd", Integer.toString(descriptor)),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      memory =
          channel.map(
              FileChannel.MapMode.READ_WRITE, 0, SLOTS * SLOT + SharedPlaces.BYTES, Arena.ofAuto());
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, "the memory of a mount's open files cannot be mapped: " + e, e);
    }
    places = new SharedPlaces(memory.asSlice(SLOTS * SLOT, SharedPlaces.BYTES));
    before = get(0);
    put(0, before + NUMBERS);
    for (long slot = 1; slot <= get(IN_USE); slot++) {
      long handle = get(slot * SLOT);
      if (handle == 0) {
        free.add(slot);
      } else {
        slots.put(handle, slot);
        Open open = new Open(handle, get(slot * SLOT + INODE), get(slot * SLOT + REQUEST));
        left.add(open);
        if (get(slot * SLOT + LOCKS) != 0) {
          leftLocked.add(open);
        }
      }
    }
  }

  @Override
  public long before() {
    return before;
  }

  @Override
  public List<Open> left() {
    return List.copyOf(left);
  }

  @Override
  public synchronized void opened(Open file) {
    Long freed = free.poll();
    long slot = freed == null ? get(IN_USE) + 1 : freed;
    put(slot * SLOT + INODE, file.inode());
    put(slot * SLOT + REQUEST, file.request());
    put(slot * SLOT + LOCKS, 0);
    // Last, and after the others whatever the compiler does: with it the slot counts.
    put(slot * SLOT, file.handle());
    if (freed == null) {
      put(IN_USE, slot);
    }
    slots.put(file.handle(), slot);
  }

  @Override
  public synchronized void closed(long handle) {
    Long slot = slots.remove(handle);
    if (slot != null) {
      put(slot * SLOT, 0);
      free.add(slot);
    }
  }

  @Override
  public synchronized void locked(long handle, LockMark mark) {
    Long slot = slots.get(handle);
    if (slot != null) {
      put(slot * SLOT + LOCKS, mark == LockMark.SOME ? 1 : 0);
    }
  }

  @Override
  public List<Open> leftLocked() {
    return List.copyOf(leftLocked);
  }

  @Override
  public void read(long directory, Place upTo) {
    places.read(directory, upTo);
  }

  @Override
  public List<Place> places(long directory) {
    return places.of(directory);
  }

  @Override
  public void closedDirectory(long directory) {
    places.closed(directory);
  }

  private long get(long offset) {
    return memory.get(ValueLayout.JAVA_LONG, offset);
  }

  private void put(long offset, long value) {
    LONG.setRelease(memory, offset, value);
  }
}
