package org.trefoilfs.mount.namespace;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.statelog.KeyValue;

/**
 * Notes which rows a command changes that mounts may have leased. They stand behind its reply, so
 * that who asked for it, or gets the reply that was kept for a retry, learns them too.
 */
final class Changes implements KeyValue {
  private final KeyValue state;
  private final Set<Long> keys = new LinkedHashSet<>();

  Changes(KeyValue state) {
    this.state = state;
  }

  /** The {@link LeaseKeys} of what was changed. */
  List<Long> keys() {
    return List.copyOf(keys);
  }

  /** A reply with the changes behind it. */
  byte[] behind(Reply reply) {
    byte[] plain = reply.toBytes();
    if (keys.isEmpty()) {
      return plain;
    }
    ByteWriter out = new ByteWriter(plain.length + 4 + Long.BYTES * keys.size()).raw(plain);
    out.i32(keys.size());
    keys.forEach(out::i64);
    return out.toBytes();
  }

  /** What stands behind a reply that has been read. */
  static List<Long> behind(ByteReader reply) {
    return reply.hasRemaining()
        ? Codec.many(reply, reply.count(Long.BYTES), ByteReader::i64)
        : List.of();
  }

  /** What stands behind a reply. */
  static List<Long> behind(byte[] reply) {
    ByteReader in = new ByteReader(reply);
    Reply.read(in);
    return behind(in);
  }

  private void note(byte[] key) {
    switch (key[0]) {
      case 'i' -> keys.add(LeaseKeys.inode(Keys.inodeIn(key)));
      case 'd' -> keys.add(LeaseKeys.entry(Keys.parentIn(key), key, Keys.NAME_AT, key.length));
      default -> {}
    }
  }

  @Override
  public void put(byte[] key, byte[] value) {
    note(key);
    state.put(key, value);
  }

  @Override
  public void delete(byte[] key) {
    note(key);
    state.delete(key);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    return state.get(key);
  }

  @Override
  public void scan(byte[] prefix, byte[] from, Visitor visitor) {
    state.scan(prefix, from, visitor);
  }
}
