package org.trefoilfs.tools.library;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.vfs.Vfs;

/**
 * How a mount goes on under its next daemon. Until its last step the former keeper has the mount,
 * so that whatever fails before may be tried again; its calls wait meanwhile.
 */
final class Resumption {
  private static final Logger LOG = LoggerFactory.getLogger(Resumption.class);

  /** Orphans come by the thousand, so this is never reached. */
  private static final int POLLS = 1000;

  private final MountParts parts;
  private final Function<List<Long>, Set<Long>> ending;

  /** What serves the mount now. */
  record Resumed(MountSession session, MountHandle mounted, Vfs vfs) {}

  /**
   * @param ending ships what earlier sessions have left, ends them, and returns when no host takes
   *     a late write of theirs any more, with the files of which something is lost
   */
  Resumption(MountParts parts, Function<List<Long>, Set<Long>> ending) {
    this.parts = parts;
    this.ending = ending;
  }

  Resumed of(Kept kept, KernelConnection.State state) {
    long began = System.nanoTime();
    List<Long> earlier = kept.note().sessions();
    MountSession session = parts.session(kept.note()::opening);
    try {
      Vfs vfs = parts.vfs(session, kept.connection().handles());
      // While the earlier session lives, nobody has its locks, or collects what it had open.
      session.inheritLocks(earlier, vfs);
      pinOrphans(vfs, session);
      vfs.writeBack().lost(ending.apply(earlier));
      ResentRequests resent = new ResentRequests();
      earlier.forEach(one -> session.takeOver(one, resent));
      session.attach(vfs);
      MountHandle mounted =
          kept.connection().resume(parts.serving(vfs), state, resent, kept.note()::kept);
      LOG.info(
          "the mount at {} goes on: taken over in {} ms",
          parts.spec().directory(),
          (System.nanoTime() - began) / 1_000_000);
      return new Resumed(session, mounted, vfs);
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  private static void pinOrphans(Vfs vfs, MountSession session) {
    long before = -1;
    long cursor = Waits.get(vfs.orphans().poll());
    for (int polls = 0; cursor != before && polls < POLLS; polls++) {
      before = cursor;
      cursor = Waits.get(vfs.orphans().poll());
    }
    session.lookedAfter(cursor);
  }
}
