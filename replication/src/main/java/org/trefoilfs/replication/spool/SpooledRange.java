package org.trefoilfs.replication.spool;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Bytes of a file, from {@code offset} up to but without {@code end}. */
public record SpooledRange(long inode, long offset, long end) {
  /** Bytes of an encoded one. */
  public static final int ENCODED_BYTES = 24;

  public void writeTo(ByteWriter out) {
    out.i64(inode).i64(offset).i64(end);
  }

  public static SpooledRange readFrom(ByteReader in) {
    return new SpooledRange(in.i64(), in.i64(), in.i64());
  }

  public long length() {
    return end - offset;
  }

  /** What the writes cover, touching ranges joined, by inode and offset. */
  public static List<SpooledRange> of(Collection<SpooledWrite> writes) {
    TreeMap<Long, TreeMap<Long, Long>> byInode = new TreeMap<>();
    for (SpooledWrite write : writes) {
      add(
          byInode.computeIfAbsent(write.inode(), any -> new TreeMap<>()),
          write.offset(),
          write.end());
    }
    List<SpooledRange> all = new ArrayList<>();
    byInode.forEach(
        (inode, ranges) ->
            ranges.forEach((offset, end) -> all.add(new SpooledRange(inode, offset, end))));
    return all;
  }

  private static void add(TreeMap<Long, Long> ranges, long offset, long end) {
    long from = offset;
    long to = end;
    var before = ranges.floorEntry(from);
    if (before != null && before.getValue() >= from) {
      from = before.getKey();
      to = Math.max(to, before.getValue());
    }
    for (var next = ranges.ceilingEntry(from);
        next != null && next.getKey() <= to;
        next = ranges.ceilingEntry(from)) {
      to = Math.max(to, next.getValue());
      ranges.remove(next.getKey());
    }
    ranges.put(from, to);
  }
}
