package org.trefoilfs.replication.statelog.rocks;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.trefoilfs.replication.statelog.KeyValueReader.Visitor;

/** One walk over the stored keys of a prefix. Owns and closes what RocksDB needs for it. */
final class Scan {
  private final byte[] prefix;
  private final byte[] from;

  Scan(byte module, byte[] prefix, byte[] from) {
    this.prefix = Keys.stored(module, prefix);
    this.from = Keys.max(this.prefix, Keys.stored(module, from));
  }

  /** Whether the end was reached, rather than the visitor saying stop. */
  boolean run(
      @Nullable Snapshot snapshot, Function<ReadOptions, RocksIterator> open, Visitor visitor)
      throws RocksDBException {
    byte[] end = Keys.after(prefix);
    // The upper bound spares RocksDB the tombstones and blocks beyond the prefix.
    try (ReadOptions options = new ReadOptions();
        Slice bound = end == null ? null : new Slice(end)) {
      if (snapshot != null) {
        options.setSnapshot(snapshot);
      }
      if (bound != null) {
        options.setIterateUpperBound(bound);
      }
      try (RocksIterator iterator = open.apply(options)) {
        return walk(iterator, visitor);
      }
    }
  }

  private boolean walk(RocksIterator iterator, Visitor visitor) throws RocksDBException {
    for (iterator.seek(from); iterator.isValid(); iterator.next()) {
      byte[] key = iterator.key();
      if (!Keys.startsWith(key, prefix)) {
        break;
      }
      if (!visitor.visit(Keys.ofModule(key), iterator.value())) {
        return false;
      }
    }
    iterator.status();
    return true;
  }
}
