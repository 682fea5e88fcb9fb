package org.trefoilfs.replication.statelog.rocks;

import java.nio.file.Path;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.Filter;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatchWithIndex;
import org.rocksdb.WriteOptions;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** An open RocksDB with all the native objects that it needs. Its memory is bounded. */
final class RocksHandle implements AutoCloseable {
  /** Hot blocks, indexes and filters; the whole control state of a small cluster. */
  private static final long CACHE_BYTES = 48L << 20;

  /** Of two: one filling, one being flushed. */
  private static final long WRITE_BUFFER_BYTES = 16L << 20;

  /** Open tables, each a file descriptor. */
  private static final int OPEN_FILES_MAX = 256;

  private static final int BLOOM_BITS = 10;
  private static final long LOG_BYTES = 2L << 20;

  static {
    RocksLibrary.load();
  }

  private final Path directory;
  private final Cache cache = new LRUCache(CACHE_BYTES);
  private final Filter filter = new BloomFilter(BLOOM_BITS);
  private final Options options = new Options();

  /** To the page cache: a killed process leaves all that it wrote. */
  private final WriteOptions unsynced = new WriteOptions().setSync(false);

  private final ReadOptions latest = new ReadOptions();
  private final WriteBatchWithIndex batch = new WriteBatchWithIndex(true);
  private final RocksDB db;

  RocksHandle(Path directory) {
    this.directory = directory;
    configure();
    try {
      db = RocksDB.open(options, directory.toString());
    } catch (RocksDBException e) {
      closeNative();
      throw unopenable(directory, e);
    }
  }

  RocksDB db() {
    return db;
  }

  /** Reads what is newest. */
  ReadOptions latest() {
    return latest;
  }

  /** The one batch, of the applying thread. */
  WriteBatchWithIndex batch() {
    return batch;
  }

  void write() throws RocksDBException {
    db.write(unsynced, batch);
  }

  StoreFailure failure(RocksDBException cause) {
    return new StoreFailure(directory, cause);
  }

  private void configure() {
    options
        .setCreateIfMissing(true)
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setMaxWriteBufferNumber(2)
        // What a loss of power tears off the end of the write-ahead log, the replicated log has.
        .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
        .setMaxOpenFiles(OPEN_FILES_MAX)
        .setMaxBackgroundJobs(2)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setMaxLogFileSize(LOG_BYTES)
        .setKeepLogFileNum(2)
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0)
        .setTableFormatConfig(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setCacheIndexAndFilterBlocks(true)
                .setPinL0FilterAndIndexBlocksInCache(true)
                .setFilterPolicy(filter));
  }

  @Override
  public void close() {
    try {
      db.closeE();
    } catch (RocksDBException e) {
      throw failure(e);
    } finally {
      closeNative();
    }
  }

  private void closeNative() {
    batch.close();
    latest.close();
    unsynced.close();
    options.close();
    filter.close();
    cache.close();
  }

  private static TrefoilException unopenable(Path directory, RocksDBException cause) {
    boolean damaged =
        cause.getStatus() != null && cause.getStatus().getCode() == Status.Code.Corruption;
    return new TrefoilException(
        damaged ? Reason.CORRUPT : Reason.IO,
        "state database "
            + directory
            + " cannot be opened: "
            + cause.getMessage()
            + "; if another daemon uses it, stop that one; if its files are damaged, move "
            + directory
            + " away and start again: it is rebuilt from the latest snapshot and the log",
        cause);
  }
}
