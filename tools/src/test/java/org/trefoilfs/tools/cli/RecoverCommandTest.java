package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.LossPlan.Way;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.daemon.Daemon;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.mount.Registry;
import org.trefoilfs.tools.recover.LossHistory;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.support.CommandRun;
import org.trefoilfs.tools.support.StubLibrary;

/** What the command says of a stub's closed groups. */
class RecoverCommandTest {
  private static final HostId ALPHA = new HostId(1);
  private static final HostId BETA = new HostId(2);
  private static final HostId GAMMA = new HostId(3);

  @TempDir Path directory;
  private final StubLibrary library = new StubLibrary();
  private CommandRun.Setting setting;
  private Daemon daemon;

  @BeforeEach
  void startDaemon() {
    setting = new CommandRun.Setting(library, directory);
    HostConfig config =
        HostConfig.empty()
            .with(Key.DATA, directory.resolve("host").toString())
            .with(Key.NAME, "alpha")
            .with(Key.LISTEN, "127.0.0.1:0");
    daemon = Daemon.start(library, config, Registry.ofMachine(setting.machine().environment()));
    setting.with("TREFOIL_CLUSTER", daemon.identity().address().toString());
    library.host().addHost(2, "beta", HostState.DOWN);
    library.host().addHost(3, "gamma", HostState.UP);
  }

  @AfterEach
  void stopDaemon() {
    daemon.close();
  }

  private void closeTwo() {
    setting.run("volume", "create", "work");
    Version early = new Version(3, 8);
    Version late = new Version(4, 7);
    library
        .host()
        .closeGroup(17, Way.ACCEPT_LOSS, List.of(BETA), Map.of(ALPHA, early, GAMMA, late));
    library.host().closeGroup(18, Way.ACCEPT_LOSS, List.of(BETA), Map.of(ALPHA, late, GAMMA, late));
  }

  private RecoverReport json(String... arguments) {
    return Json.read(setting.run(arguments).out().getBytes(), RecoverReport.class);
  }

  @Test
  void nothingClosedIsNothingToRecover() {
    for (String flag : List.of("--json=false", "--accept-loss")) {
      CommandRun run = setting.run("recover", flag);
      assertThat(run.out()).isEqualTo("nothing to recover: no placement group is closed\n");
      assertThat(run.status()).isZero();
    }
    assertThat(setting.run("recover", "--history").out()).isEqualTo("no loss was ever accepted\n");
  }

  @Test
  void lookingSaysWhoIsMissingWhatOthersHoldAndWhatCannotBeKnown() {
    closeTwo();
    CommandRun run = setting.run("recover");
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .startsWith(
            """
            missing: host beta (h2, 10.0.0.2:7440), not heard of since the host that answers started, 1 min 30 s ago

            REPLICAS  VOLUMES  GROUPS  CLOSED  CAN BE OPENED  LOST  OTHERS
            3         work     1024    2       2              0     0

            HOST   MEMBER OF  HAS THE LAST WRITE  BEHIND
            alpha  2          1                   1
            gamma  2          2                   0
            """)
        .contains("What only beta still has cannot be known from here")
        .contains("1 groups have members that are behind another")
        .endsWith("to open what can be opened: trefoil recover --accept-loss\n");
    RecoverReport.ClosedGroup group = json("recover", "--json").loss().groups().getFirst();
    assertThat(group.number()).isEqualTo(17);
    assertThat(group.missing()).containsExactly("beta");
    assertThat(group.held())
        .containsExactly(
            new RecoverReport.Held("alpha", 3, 8, false),
            new RecoverReport.Held("gamma", 4, 7, true));
  }

  @Test
  void acceptingOpensRecordsAndSaysSo() {
    closeTwo();
    CommandRun run = setting.run("recover", "--accept-loss", "--operator", "ann");
    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .endsWith(
            "2 groups were opened; recorded as 0000000000001234, see: trefoil recover"
                + " --history\n");
    assertThat(setting.run("recover", "--history").out())
        .isEqualTo(
            """
            CHOICE            TIME                  OPERATOR  GIVEN UP  GROUPS
            0000000000001234  2023-11-14T22:13:20Z  ann       beta      2
            """);
    LossHistory history =
        Json.read(
            setting.run("recover", "--history", "--json").out().getBytes(), LossHistory.class);
    assertThat(history.losses().getFirst().groups())
        .containsExactly(
            new LossHistory.Opened(3, 17, "gamma"), new LossHistory.Opened(3, 18, "alpha"));
    assertThat(setting.run("recover").out()).startsWith("nothing to recover");
  }

  @Test
  void whoeverRunsTheCommandIsTheOperatorUnlessOneIsNamed() {
    closeTwo();
    assertThat(json("recover", "--accept-loss", "--json").done().opened()).isEqualTo(2);
    assertThat(setting.run("recover", "--history").out())
        .contains(System.getProperty("user.name") + "@");
  }

  @Test
  void withoutAMajorityTheCommandSaysThatItCannotHelp() {
    library.host().loseMajority();
    for (String[] line : new String[][] {{"recover"}, {"recover", "--accept-loss"}}) {
      CommandRun run = setting.run(line);
      assertThat(run.status()).isEqualTo(3);
      assertThat(run.err())
          .startsWith("trefoil: recover: no majority of the state log's voters answers (no leader")
          .contains("start more of them", "that needs a new cluster");
    }
  }

  @Test
  void groupsThatStayClosedMakeAcceptingFail() {
    closeTwo();
    library.host().closeGroup(19, Way.NONE, List.of(BETA), Map.of());
    CommandRun run = setting.run("recover", "--accept-loss");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out())
        .contains("1 groups were in sync on nobody but the missing hosts")
        .contains("2 groups were opened");
  }
}
