package org.trefoilfs.replication.statelog;

/**
 * What a command may change; it reads its own writes. All of a command's changes take effect, or
 * none.
 */
public interface KeyValue extends KeyValueReader {
  void put(byte[] key, byte[] value);

  void delete(byte[] key);
}
