package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.replication.membership.TestCluster.refusal;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;
import org.trefoilfs.replication.spool.SpoolLimits;

class VolumeCommandsTest {
  private TestCluster cluster;
  private ClusterClient client;

  @BeforeEach
  void oneHostWithAVolume() {
    cluster = TestCluster.of(2, 1);
    client = new ClusterClient(cluster);
    create("home", 1).join();
  }

  private CompletableFuture<Integer> create(String name, int replicas) {
    return client.createVolume(cluster.view(), new CreateVolume(name, replicas, CommitMode.SYNC));
  }

  private int id(String name) {
    return cluster.view().volumes().get(name).id();
  }

  @Test
  void aVolumeBringsItsPoolAlong() {
    assertThat(cluster.view().volumes()).containsOnlyKeys("home");
    assertThat(cluster.view().placement().groups()).hasSize(4);
    assertThat(refusal(() -> cluster.run(new CreateVolume("home", 1, CommitMode.SYNC))))
        .isEqualTo(Reason.EXISTS);
  }

  @Test
  void volumeIsCreatedOnceThoughTheFirstAnswerIsLost() {
    cluster.answersGetLost = true;
    assertThat(create("x", 1).join()).isEqualTo(id("x"));
    assertThat(reasonOf(create("x", 1))).isEqualTo(Reason.EXISTS);
  }

  @Test
  void volumeThatSomebodyElseCreatedMeanwhileIsNotTakenForOnesOwn() {
    ClusterView before = cluster.view();
    cluster.run(new CreateVolume("x", 1, CommitMode.ASYNC));
    assertThat(reasonOf(client.createVolume(before, new CreateVolume("x", 1, CommitMode.SYNC))))
        .isEqualTo(Reason.EXISTS);
  }

  private static Reason reasonOf(CompletableFuture<?> failed) {
    assertThat(failed).isCompletedExceptionally();
    return TrefoilException.of(failed.exceptionNow()).reason();
  }

  @Test
  void tooFewHostsAreNamedWithTheRemedy() {
    String message =
        "volume 'x' wants 3 replicas and the cluster has 1 storage host;"
            + " join hosts or say --replicas 1";
    assertThatThrownBy(() -> create("x", 3).join()).hasMessageContaining(message);
    assertThatThrownBy(() -> cluster.run(new CreateVolume("x", 3, CommitMode.SYNC)))
        .hasMessage(message);
    cluster.register("witness", true);
    cluster.start(2, 1);
    assertThatThrownBy(() -> create("x", 2).join()).hasMessageContaining("1 storage host;");
  }

  @Test
  void namesAreCheckedAndPoolsRequired() {
    for (String bad : new String[] {"", ".x", "a b", "a/b", "x".repeat(65)}) {
      assertThat(refusal(() -> cluster.run(new CreateVolume(bad, 1, CommitMode.SYNC))))
          .isEqualTo(Reason.INVALID);
    }
    cluster.register("second", false);
    cluster.start(2, 1);
    assertThat(refusal(() -> cluster.run(new CreateVolume("y", 2, CommitMode.SYNC))))
        .isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void theCommitModeMayChange() {
    cluster.run(new SetVolume("home", CommitMode.ASYNC));
    assertThat(cluster.view().volumes().get("home").commit()).isEqualTo(CommitMode.ASYNC);
    assertThat(refusal(() -> cluster.run(new SetVolume("nix", CommitMode.ASYNC))))
        .isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void minInSyncIsAMajorityUnlessSaidOtherwiseAndTheSurvivorOfTwoGoesOn() {
    assertThat(List.of(1, 2, 3, 4, 5))
        .extracting(VolumeInfo::usualMinInSync)
        .containsExactly(1, 1, 2, 3, 3);
    assertThat(cluster.view().volumes().get("home").minInSync()).isEqualTo(1);
  }

  @Test
  void minInSyncIsSetWithinTheReplicasAndStaysWhenItIsNotNamed() {
    cluster.register("second", false);
    cluster.start(2, 1);
    create("pair", 2).join();
    cluster.run(new SetVolume("pair", 2, CommitMode.SYNC, SpoolLimits.DEFAULT));
    cluster.run(new SetVolume("pair", CommitMode.ASYNC));
    assertThat(cluster.view().volumes().get("pair").minInSync()).isEqualTo(2);
    assertThatThrownBy(
            () -> cluster.run(new SetVolume("pair", 3, CommitMode.SYNC, SpoolLimits.DEFAULT)))
        .hasMessage("volume 'pair' cannot want 3 of 2 replicas in sync; say --min-in-sync 1 to 2");
    assertThat(
            refusal(
                () ->
                    cluster.run(
                        new CreateVolume("x", 2, -1, CommitMode.SYNC, SpoolLimits.DEFAULT))))
        .isEqualTo(Reason.INVALID);
    cluster.run(new DeleteVolume("pair"));
    assertThat(ClusterRows.read(cluster.rows).view()).isEqualTo(cluster.view());
  }

  @Test
  void aMountedVolumeIsNotDeletedAndTheRefusalSaysWhereItIsMounted() {
    cluster.run(new OpenSession(5, id("home"), "vm-1", "/mnt/home"));
    assertThatThrownBy(() -> cluster.run(new DeleteVolume("home")))
        .hasMessage("volume 'home' is mounted at vm-1:/mnt/home; unmount it there first");
    cluster.run(new CloseSession(5));
    cluster.run(new CloseSession(5));
    cluster.run(new DeleteVolume("home"));
    assertThat(cluster.view().volumes()).isEmpty();
  }

  @Test
  void aDeletedVolumeStaysListedByNumberUntilItsFilesAreGone() {
    int old = id("home");
    assertThat(refusal(() -> cluster.run(new VolumeGone(old)))).isEqualTo(Reason.BUSY);
    cluster.run(new DeleteVolume("home"));
    assertThat(cluster.view().volumesById().get(old).deleted()).isTrue();
    assertThat(refusal(() -> cluster.run(new OpenSession(1, old, "h", "/m"))))
        .isEqualTo(Reason.NOT_FOUND);
    int again = create("home", 1).join();
    assertThat(again).isGreaterThan(old);
    cluster.run(new VolumeGone(old));
    cluster.run(new VolumeGone(old));
    assertThat(cluster.view().volumesById()).containsOnlyKeys(again);
  }

  @Test
  void aSessionOpensOnceAndBelongsToOneMount() {
    OpenSession open = new OpenSession(7, id("home"), "vm", "/mnt");
    cluster.run(open);
    long epoch = cluster.view().epoch();
    cluster.run(open);
    assertThat(cluster.view().epoch()).isEqualTo(epoch);
    assertThat(cluster.view().sessions().get(7L))
        .isEqualTo(new SessionInfo(7, id("home"), "vm", "/mnt"));
    OpenSession thief = new OpenSession(7, id("home"), "other", "/mnt");
    assertThat(refusal(() -> cluster.run(thief))).isEqualTo(Reason.EXISTS);
    OpenSession unnamed = new OpenSession(0, id("home"), "vm", "/mnt");
    assertThat(refusal(() -> cluster.run(unnamed))).isEqualTo(Reason.INVALID);
  }
}
