package org.trefoilfs.mount.fuse.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.vfs.HandleTable.Place;

/**
 * How far the open directories of a mount have been read, in memory that outlives the process: of
 * each the latest two answers, as the last one may not have reached the kernel.
 *
 * <pre>
 * header   u64 slots in use, at most
 * slot     u64 handle, 0: free   u64 which of the two is the older   2 places
 * place    u64 position          u64 length of the name, 0: none     name, 256 bytes
 * </pre>
 */
final class SharedPlaces {
  /** Directories beyond that are read on by counting. */
  private static final long SLOTS = 4096;

  private static final long HEADER = 8;
  private static final long NAME = 256;
  private static final long PLACE = 16 + NAME;
  private static final long SLOT = 16 + 2 * PLACE;

  static final long BYTES = HEADER + SLOTS * SLOT;

  private final MemorySegment memory;
  private final Map<Long, Long> slots = new HashMap<>();
  private final Queue<Long> free = new ArrayDeque<>();

  SharedPlaces(MemorySegment memory) {
    this.memory = memory;
    for (long slot = 0; slot < get(0); slot++) {
      long handle = get(at(slot));
      if (handle == 0) {
        free.add(slot);
      } else {
        slots.put(handle, slot);
      }
    }
  }

  synchronized void read(long handle, Place upTo) {
    Long slot = slots.get(handle);
    if (slot == null) {
      slot = take(handle);
    }
    if (slot != null) {
      long older = get(at(slot) + 8);
      long place = at(slot) + 16 + older * PLACE;
      put(place + 8, 0);
      put(place, upTo.position());
      MemorySegment.copy(upTo.name(), 0, memory, JAVA_BYTE, place + 16, upTo.name().length);
      // Last: with its length the place counts.
      put(place + 8, upTo.name().length);
      put(at(slot) + 8, 1 - older);
    }
  }

  private @Nullable Long take(long handle) {
    Long slot = free.poll();
    if (slot == null) {
      slot = get(0);
      if (slot == SLOTS) {
        return null;
      }
      put(0, slot + 1);
    }
    put(at(slot) + 8, 0);
    put(at(slot) + 16 + 8, 0);
    put(at(slot) + 16 + PLACE + 8, 0);
    put(at(slot), handle);
    slots.put(handle, slot);
    return slot;
  }

  synchronized List<Place> of(long handle) {
    List<Place> places = new ArrayList<>();
    Long slot = slots.get(handle);
    for (int which = 0; slot != null && which < 2; which++) {
      long place = at(slot) + 16 + which * PLACE;
      int length = (int) get(place + 8);
      if (length > 0) {
        byte[] name = new byte[length];
        MemorySegment.copy(memory, JAVA_BYTE, place + 16, name, 0, length);
        places.add(new Place(get(place), name));
      }
    }
    return places;
  }

  synchronized void closed(long handle) {
    Long slot = slots.remove(handle);
    if (slot != null) {
      put(at(slot), 0);
      free.add(slot);
    }
  }

  private static long at(long slot) {
    return HEADER + slot * SLOT;
  }

  private long get(long offset) {
    return memory.get(JAVA_LONG, offset);
  }

  private void put(long offset, long value) {
    SharedHandles.LONG.setRelease(memory, offset, value);
  }
}
