package org.trefoilfs.tools.support;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.library.AdminChannel;
import org.trefoilfs.tools.library.ClusterAccess;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.library.TrefoilLibrary;

/** {@link StubHost}s, asked over the real wire. */
public final class StubLibrary implements Library {
  private final Library real = new TrefoilLibrary();

  private @Nullable StubHost started;

  @Override
  public RunningHost start(HostOptions options, AdminHandler admin) {
    started = new StubHost(options, admin);
    return started;
  }

  /** The host that was started last. */
  public StubHost host() {
    return Objects.requireNonNull(started);
  }

  @Override
  public AdminChannel connect(List<Address> anyOf, Duration timeout) {
    return real.connect(anyOf, timeout);
  }

  @Override
  public ClusterAccess attach(List<Address> anyOf, Duration timeout) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FsckResult fsck(Path data) {
    return new FsckResult(1, 2, 8192, "d1", List.of("chunk 7-0: block 3 does not match"));
  }
}
