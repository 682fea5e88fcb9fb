package org.trefoilfs.tools.library;

import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.VfsOptions;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;

/** What a mount is put together from. */
record MountParts(Member member, VolumeInfo volume, MountSpec spec, Supplier<Capacity> capacity) {

  MountOptions options() {
    return MountPoints.options(spec);
  }

  /**
   * @param opening as {@link MountSession} tells it
   */
  MountSession session(LongConsumer opening) {
    return new MountSession(member, volume, spec.directory(), opening);
  }

  Vfs vfs(MountSession session, HandleTable handles) {
    VfsOptions usual =
        VfsOptions.outlasting(member.patience(), rule -> isAsync(session, rule))
            .withHandles(handles)
            .withAccessLists(options().has(MountOptions.Flag.ACL));
    return new Vfs(
        session.names(),
        session.volume(),
        capacity,
        SystemTime.INSTANCE,
        options().timeout().map(usual::withTimeout).orElse(usual));
  }

  /** On full disks what cannot be promised is not acknowledged: writes go through, and fail. */
  private boolean isAsync(MountSession session, CommitRule rule) {
    return rule.in(session.latest().commit()) == CommitMode.ASYNC && !member.isFull();
  }

  KernelConnection.Serving serving(Vfs vfs) {
    return new KernelConnection.Serving(vfs, spec.path(), options());
  }
}
