package org.trefoilfs.mount.namespace;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.trefoilfs.replication.statelog.KeyValue;

/** A module's rows in a sorted map; changes since {@link #begin} can be undone. */
public final class InMemoryKeyValue implements KeyValue {
  private final NavigableMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
  private final Deque<Runnable> undo = new ArrayDeque<>();

  public void begin() {
    undo.clear();
  }

  public void rollback() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
  }

  @Override
  public byte[] get(byte[] key) {
    byte[] value = rows.get(key);
    return value == null ? null : value.clone();
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    byte[] start = Arrays.compareUnsigned(from, prefix) < 0 ? prefix : from;
    for (Map.Entry<byte[], byte[]> row : rows.tailMap(start, true).entrySet()) {
      boolean inside =
          row.getKey().length >= prefix.length
              && Arrays.equals(row.getKey(), 0, prefix.length, prefix, 0, prefix.length);
      if (!inside || !visitor.visit(row.getKey().clone(), row.getValue().clone())) {
        return;
      }
    }
  }

  @Override
  public void put(byte[] key, byte[] value) {
    byte[] own = key.clone();
    restoreOnUndo(own, rows.put(own, value.clone()));
  }

  @Override
  public void delete(byte[] key) {
    restoreOnUndo(key.clone(), rows.remove(key));
  }

  public int size() {
    return rows.size();
  }

  /** Every row as hex, in key order. */
  public String dump() {
    StringBuilder out = new StringBuilder();
    HexFormat hex = HexFormat.of();
    rows.forEach(
        (key, value) ->
            out.append(hex.formatHex(key)).append(" = ").append(hex.formatHex(value)).append('\n'));
    return out.toString();
  }

  private void restoreOnUndo(byte[] key, byte[] old) {
    undo.push(
        () -> {
          if (old == null) {
            rows.remove(key);
          } else {
            rows.put(key, old);
          }
        });
  }
}
