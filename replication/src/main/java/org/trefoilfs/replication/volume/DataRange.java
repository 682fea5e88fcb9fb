package org.trefoilfs.replication.volume;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Bytes of an object that hold data, from {@code start} up to but without {@code end}. */
public record DataRange(long start, long end) {
  public long length() {
    return end - start;
  }

  /** Where any of these has data, in order; ranges that touch are one. */
  public static List<DataRange> union(Collection<DataRange> ranges) {
    TreeMap<Long, Long> ends = new TreeMap<>();
    for (DataRange range : ranges) {
      if (range.length() > 0) {
        ends.merge(range.start(), range.end(), Math::max);
      }
    }
    List<DataRange> joined = new ArrayList<>();
    for (Map.Entry<Long, Long> next : ends.entrySet()) {
      DataRange last = joined.isEmpty() ? null : joined.getLast();
      if (last == null || next.getKey() > last.end()) {
        joined.add(new DataRange(next.getKey(), next.getValue()));
      } else {
        joined.set(
            joined.size() - 1, new DataRange(last.start(), Math.max(last.end(), next.getValue())));
      }
    }
    return joined;
  }

  /** What lies within both; empty, of no length, when nothing does. */
  public DataRange within(long from, long to) {
    long cut = Math.max(start, from);
    return new DataRange(cut, Math.max(cut, Math.min(end, to)));
  }
}
