package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Counted sequences in records. */
final class Lists {
  private Lists() {}

  static <T> void write(
      ByteWriter out, Collection<T> elements, BiConsumer<T, ByteWriter> writeOne) {
    out.i32(elements.size());
    elements.forEach(element -> writeOne.accept(element, out));
  }

  /** {@code minimumBytes} of an element bound the count before it is believed. */
  static <T> List<T> read(ByteReader in, int minimumBytes, Function<ByteReader, T> readOne) {
    int count = in.count(minimumBytes);
    List<T> elements = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      elements.add(readOne.apply(in));
    }
    return elements;
  }
}
