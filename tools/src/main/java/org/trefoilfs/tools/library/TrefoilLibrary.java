package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.chunk.CheckReport;
import org.trefoilfs.replication.chunk.StoreCheck;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;

/** The filesystem proper behind {@link Library}. */
public final class TrefoilLibrary implements Library {
  /** Sentences kept of a badly damaged store. */
  private static final int MAX_PROBLEMS = 1000;

  @Override
  public RunningHost start(HostOptions options, AdminHandler admin) {
    return HostAdapter.start(options, admin);
  }

  @Override
  public AdminChannel connect(List<Address> anyOf, Duration timeout) {
    return NettyAdminChannel.connect(anyOf, timeout);
  }

  @Override
  public ClusterAccess attach(List<Address> anyOf, Duration timeout) {
    return new ClientAdapter(anyOf, timeout);
  }

  @Override
  public FsckResult fsck(Path data) {
    List<String> problems = new ArrayList<>();
    CheckReport report =
        StoreCheck.check(
            data.resolve("chunks"),
            problem -> {
              if (problems.size() < MAX_PROBLEMS) {
                problems.add(problem);
              }
            });
    return new FsckResult(
        report.digestOfGroup().size(),
        report.chunks(),
        report.bytes(),
        Digests.text(report.digest()),
        problems);
  }
}
