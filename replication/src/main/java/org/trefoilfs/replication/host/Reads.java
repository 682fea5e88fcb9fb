package org.trefoilfs.replication.host;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.transport.Message;

/** Reads from this host's own replica, where its lease and its role allow it. */
final class Reads {
  private final Slots slots;
  private final GroupNode node;
  private final Healing healing;

  Reads(Slots slots, GroupNode node, Healing healing) {
    this.slots = slots;
    this.node = node;
    this.healing = healing;
  }

  /** Reads committed bytes here, healing a damaged chunk from another replica. May block. */
  ByteBuffer read(Message.Read read) {
    return committed(
        read.pg(),
        read.chunk(),
        () -> node.applier().read(read.pg(), read.chunk(), read.offset(), read.length()));
  }

  /** Which blocks of each chunk hold anything but zeros, as {@link #read} would find them. */
  List<BlockSet> allocated(Message.AskBlocks ask) {
    return ask.chunks().stream()
        .map(
            at ->
                committed(at.pg(), at.chunk(), () -> node.applier().allocated(at.pg(), at.chunk())))
        .toList();
  }

  private <T> T committed(int pg, ChunkId chunk, Supplier<T> look) {
    checkReadable(pg, chunk);
    T found = healing(pg, chunk, look);
    if (!node.leased()) { // a long pause: another view may have been served meanwhile
      throw new TrefoilException(
          Reason.UNAVAILABLE, node.self() + " has lost contact with the cluster's majority");
    }
    return found;
  }

  private <T> T healing(int pg, ChunkId chunk, Supplier<T> look) {
    try {
      return look.get();
    } catch (TrefoilException e) {
      if (e.reason() != Reason.CORRUPT) {
        throw e;
      }
      healing.heal(pg, chunk, e);
      return look.get();
    }
  }

  private void checkReadable(int pg, ChunkId chunk) {
    Slot slot = slots.of(pg);
    Group.Readable readable;
    synchronized (slot) {
      readable = slot.group.readable(chunk);
    }
    switch (readable) {
      case YES -> {}
      case NO_LEASE ->
          throw new TrefoilException(
              Reason.UNAVAILABLE, node.self() + " has lost contact with the cluster's majority");
      case NOT_YET ->
          throw new TrefoilException(
              Reason.BUSY, "group " + pg + " is taking over; the read is tried again");
      case ASK_PRIMARY ->
          throw new TrefoilException(
              Reason.STALE_VIEW, node.self() + " cannot answer for group " + pg + " now");
    }
  }
}
