package org.trefoilfs.replication.statelog.rocks;

import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;
import org.trefoilfs.replication.statelog.KeyValueReader;

/** A module's keys as of a RocksDB snapshot, or as they are. */
final class SnapshotView implements KeyValueReader {
  private final RocksHandle rocks;
  private final @Nullable Snapshot snapshot;
  private final ReadOptions options;
  private final byte module;

  SnapshotView(RocksHandle rocks, @Nullable Snapshot snapshot, ReadOptions options, byte module) {
    this.rocks = rocks;
    this.snapshot = snapshot;
    this.options = options;
    this.module = module;
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    try {
      return rocks.db().get(options, Keys.stored(module, key));
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    try {
      new Scan(module, prefix, from).run(snapshot, rocks.db()::newIterator, visitor);
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }
}
