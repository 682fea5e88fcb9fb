package org.trefoilfs.replication.statelog;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** A store for tests; {@link #copy} before a command is how it is undone. */
public final class InMemoryKeyValue implements KeyValue {
  private final TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);

  @Override
  public byte[] get(byte[] key) {
    byte[] value = rows.get(key);
    return value == null ? null : value.clone();
  }

  @Override
  public void put(byte[] key, byte[] value) {
    rows.put(key.clone(), value.clone());
  }

  @Override
  public void delete(byte[] key) {
    rows.remove(key);
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    byte[] start = Arrays.compareUnsigned(prefix, from) > 0 ? prefix : from;
    for (Map.Entry<byte[], byte[]> row : rows.tailMap(start, true).entrySet()) {
      byte[] key = row.getKey();
      boolean inside =
          key.length >= prefix.length
              && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
      if (!inside || !visitor.visit(key.clone(), row.getValue().clone())) {
        return;
      }
    }
  }

  public InMemoryKeyValue copy() {
    InMemoryKeyValue copy = new InMemoryKeyValue();
    copy.rows.putAll(rows);
    return copy;
  }

  public int size() {
    return rows.size();
  }
}
