package org.trefoilfs.replication.statelog.rocks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatchWithIndex;
import org.trefoilfs.replication.statelog.KeyValue;

/** What one command sees and changes: the state under its own batch. */
final class BatchView implements KeyValue {
  /** A scan reads ahead 8, 16, ... up to so many entries before it visits them. */
  private static final int READ_AHEAD_MAX = 256;

  private final RocksHandle rocks;
  private final WriteBatchWithIndex batch;
  private final byte module;

  BatchView(RocksHandle rocks, byte module) {
    this.rocks = rocks;
    this.batch = rocks.batch();
    this.module = module;
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    try {
      return batch.getFromBatchAndDB(rocks.db(), rocks.latest(), Keys.stored(module, key));
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }

  @Override
  public void put(byte[] key, byte[] value) {
    try {
      batch.put(Keys.stored(module, key), value);
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }

  @Override
  public void delete(byte[] key) {
    try {
      batch.delete(Keys.stored(module, key));
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
  }

  /**
   * Visits in portions read beforehand: a batch must not change under its own iterator, and
   * visitors do change what they visit. Portions have fixed sizes, so every host sees the same.
   */
  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    byte[] position = from;
    for (int portion = 8; ; portion = Math.min(portion * 2, READ_AHEAD_MAX)) {
      List<byte[][]> entries = read(prefix, position, portion);
      for (byte[][] entry : entries) {
        if (!visitor.visit(entry[0], entry[1])) {
          return;
        }
      }
      if (entries.size() < portion) {
        return;
      }
      position = Keys.next(entries.getLast()[0]);
    }
  }

  private List<byte[][]> read(byte[] prefix, byte[] from, int limit) {
    List<byte[][]> entries = new ArrayList<>(limit);
    try {
      new Scan(module, prefix, from)
          .run(
              null,
              options -> batch.newIteratorWithBase(rocks.db().newIterator(options), options),
              (key, value) -> {
                entries.add(new byte[][] {key, value});
                return entries.size() < limit;
              });
    } catch (RocksDBException e) {
      throw rocks.failure(e);
    }
    return entries;
  }
}
