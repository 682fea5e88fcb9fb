package org.trefoilfs.replication.host;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** What joiners copy: the side of a catch-up that answers. May block. */
final class CopySource {
  /** Chunk infos in one page of a listing: 40 bytes each, well under the frame limit. */
  private static final int LIST_PAGE = 4096;

  private final Slots slots;
  private final GroupNode node;
  private final RecentOperations recent;
  private final Healing healing;

  CopySource(Slots slots, GroupNode node, RecentOperations recent, Healing healing) {
    this.slots = slots;
    this.node = node;
    this.recent = recent;
    this.healing = healing;
  }

  Message list(Message.ListChunks list) {
    slots.serving(list.pg(), list.view());
    node.applier().barrier().join();
    List<ChunkInfo> page = new ArrayList<>();
    boolean more = false;
    for (ChunkInfo info : node.store().list(list.pg())) {
      if (info.id().compareTo(list.after()) > 0) {
        if (page.size() == LIST_PAGE) {
          more = true;
          break;
        }
        page.add(info);
      }
    }
    long commitIndex;
    Slot slot = slots.of(list.pg());
    synchronized (slot) {
      commitIndex = slot.group.log().commitIndex();
    }
    // On the first page: later operations come with the live stream.
    List<OperationId> answered =
        list.after().equals(CatchUps.BEFORE_ALL) ? recent.ofGroup(list.pg()) : List.of();
    return new Message.ChunkList(commitIndex, page, answered, more);
  }

  Message listChanges(Message.ListChanges list) {
    slots.serving(list.pg(), list.view());
    Slot slot = slots.of(list.pg());
    synchronized (slot) {
      return slot.history.answer(list, recent.ofGroup(list.pg()));
    }
  }

  ChunkImage fetch(int pg, ChunkId chunk, BlockSet blocks) {
    PgView view = node.view().placement().group(pg).orElse(null);
    if (view == null || !view.isInSync(node.self(), node.incarnation())) {
      throw new TrefoilException(Reason.STALE_VIEW, node.self() + " is not in sync in group " + pg);
    }
    node.applier().barrier().join();
    try {
      return image(pg, chunk, blocks);
    } catch (TrefoilException e) {
      // Only a primary: two members that heal from each other would ask each other for ever.
      if (e.reason() != Reason.CORRUPT || !slots.isPrimary(pg)) {
        throw e;
      }
      healing.heal(pg, chunk, e);
      return image(pg, chunk, blocks);
    }
  }

  private ChunkImage image(int pg, ChunkId chunk, BlockSet blocks) {
    return node.applier()
        .image(pg, chunk, blocks)
        .orElseGet(() -> new ChunkImage(chunk, Version.NONE, List.of()));
  }

  /**
   * Reads no other blocks: a damaged one that the joiner has of old, and nobody here, must not keep
   * it from joining, and from giving it back. What is written meanwhile is read as well, for the
   * image's version says that it holds it.
   */
  Message fetchBlocks(Message.FetchBlocks fetch) {
    slots.serving(fetch.pg(), fetch.view());
    BlockSet blocks = changed(fetch);
    while (true) {
      ChunkImage image = fetch(fetch.pg(), fetch.chunk(), blocks);
      BlockSet now = changed(fetch);
      if (blocks.containsAll(now)) {
        return new Message.Blocks(image, blocks);
      }
      blocks = now;
    }
  }

  private BlockSet changed(Message.FetchBlocks fetch) {
    BlockSet blocks = fetch.blocks().copy();
    Slot slot = slots.of(fetch.pg());
    synchronized (slot) {
      blocks.add(slot.history.blocksSince(fetch.chunk(), fetch.since()));
    }
    return blocks;
  }
}
