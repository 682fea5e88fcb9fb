package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;

/** The filesystem proper behind {@link Library}. */
public final class TrefoilLibrary implements Library {
  @Override
  public RunningHost start(HostOptions options, AdminHandler admin) {
    throw absent();
  }

  @Override
  public AdminChannel connect(List<Address> anyOf, Duration timeout) {
    return NettyAdminChannel.connect(anyOf, timeout);
  }

  @Override
  public ClusterAccess attach(List<Address> anyOf, Duration timeout) {
    throw absent();
  }

  @Override
  public FsckResult fsck(Path data) {
    throw absent();
  }

  private static TrefoilException absent() {
    return new TrefoilException(
        Reason.NOT_SUPPORTED, "this build has no filesystem in it; take a later one");
  }
}
