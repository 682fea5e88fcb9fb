package org.trefoilfs.replication.statelog;

import org.trefoilfs.replication.statelog.lease.Change;

/**
 * What a command may change; it reads its own writes. All of a command's changes take effect, or
 * none.
 */
public interface KeyValue extends KeyValueReader {
  void put(byte[] key, byte[] value);

  void delete(byte[] key);

  /** What the command changes of that which sessions may have leased; said once, at its end. */
  default void changes(Change change) {}
}
