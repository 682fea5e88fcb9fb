package org.trefoilfs.mount.vfs;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * One opendir(3): numbers the names of a directory as they are handed out. Reading goes on after
 * the last name, not after a count, so an entry that stays is seen exactly once however many others
 * come and go. A page is kept, because the kernel may ask again from the middle of it; older places
 * are found again from the name that ended each page.
 */
final class DirectoryStream {
  /** Entries asked for at once: some 100 KiB of answer. */
  static final int PAGE = 1000;

  private static final byte[] START = new byte[0];

  private final long directory;
  private final Names names;
  private final Waiting waiting;
  private final List<byte[]> pageEnds = new ArrayList<>();
  private List<Dentry> page = List.of();
  private int pageNumber = -1;

  /** The position from which pages are counted, and the name before it. */
  private long base;

  private byte[] start = START;

  DirectoryStream(long directory, Names names, Waiting waiting) {
    this.directory = directory;
    this.names = names;
    this.waiting = waiting;
  }

  long directory() {
    return directory;
  }

  /** Begins where an earlier stream had come to. */
  synchronized void goOn(HandleTable.Place place) {
    begin(place.position(), place.name());
  }

  private void begin(long position, byte[] after) {
    base = position;
    start = after;
    pageEnds.clear();
    pageNumber = -1;
  }

  /** Entries from the position on, as far as they are at hand; none at the end. */
  synchronized List<Dentry> from(long position) {
    if (position == 0 || position < base) {
      begin(0, START);
    }
    int wanted = (int) Math.min(Integer.MAX_VALUE, (position - base) / PAGE);
    if (wanted != pageNumber) {
      load(Math.min(wanted, pageEnds.size()));
    }
    // Of an earlier daemon's stream no page is known: counted from where it is known to have been.
    while (pageNumber < wanted && pageNumber < pageEnds.size()) {
      load(pageNumber + 1);
    }
    int within = (int) Math.min(PAGE, position - base - (long) pageNumber * PAGE);
    return within >= page.size() ? List.of() : page.subList(within, page.size());
  }

  private void load(int number) {
    byte[] after = number == 0 ? start : pageEnds.get(number - 1);
    page = list(after);
    pageNumber = number;
    if (number == pageEnds.size() && page.size() == PAGE) {
      pageEnds.add(page.getLast().name());
    }
  }

  private List<Dentry> list(byte[] after) {
    try {
      return waiting.read(names.list(directory, after, PAGE));
    } catch (TrefoilException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return List.of(); // removed while open: an empty directory, as elsewhere
      }
      throw e;
    }
  }
}
