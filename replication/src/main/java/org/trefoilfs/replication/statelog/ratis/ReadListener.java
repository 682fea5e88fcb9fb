package org.trefoilfs.replication.statelog.ratis;

import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.statelog.KeyValueReader;

/** Tells what a query's answer depends on. */
record ReadListener(KeyValueReader keys, LongConsumer listener) implements KeyValueReader {
  @Override
  public void reads(long lease) {
    listener.accept(lease);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    return keys.get(key);
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    keys.scan(prefix, from, visitor);
  }
}
