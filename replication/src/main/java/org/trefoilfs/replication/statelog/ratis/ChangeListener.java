package org.trefoilfs.replication.statelog.ratis;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.lease.Change;

/** Tells what a command changes of that which may be leased. */
record ChangeListener(KeyValue keys, Consumer<Change> listener) implements KeyValue {
  @Override
  public void changes(Change change) {
    listener.accept(change);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    return keys.get(key);
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    keys.scan(prefix, from, visitor);
  }

  @Override
  public void put(byte[] key, byte[] value) {
    keys.put(key, value);
  }

  @Override
  public void delete(byte[] key) {
    keys.delete(key);
  }
}
