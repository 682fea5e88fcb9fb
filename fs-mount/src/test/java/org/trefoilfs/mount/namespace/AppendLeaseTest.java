package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;

/** Who may append, and who has to wait. */
final class AppendLeaseTest {
  private static final long OTHER = 42;

  private final NamespaceFixture fixture = new NamespaceFixture();
  private final StateLogNames here = fixture.names;
  private final StateLogNames there =
      StateLogNames.open(fixture.log, NamespaceFixture.VOLUME, OTHER, fixture).join();
  private final long file = fixture.file("f").inode();
  private final String untouched = withoutReplies();

  @Test
  void firstHasItUntilItLetsGo() {
    assertThat(here.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    assertThat(there.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    assertThat(here.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    here.unleaseAppends(Set.of(file)).join();
    assertThat(there.leaseAppends(file).join()).isEqualTo(OTHER);
    there.unleaseAppends(Set.of(file)).join();
    assertThat(withoutReplies()).isEqualTo(untouched);
  }

  @Test
  void nobodyLetsGoOfAnothersLease() {
    here.leaseAppends(file).join();
    there.unleaseAppends(Set.of(file)).join();
    assertThat(there.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
  }

  @Test
  void readersNeedNotKnowOfIt() {
    here.leaseAppends(file).join();
    assertThat(fixture.lookup("f").holder()).isZero();
  }

  @Test
  void holderHearsOfWhoWaits() {
    here.leaseAppends(file).join();
    assertThat(here.recalls().join()).isEmpty();
    there.recall(file).join();
    assertThat(here.recalls().join()).containsExactly(file);
    here.unleaseAppends(Set.of(file)).join();
    assertThat(here.recalls().join()).isEmpty();
  }

  @Test
  void writeLeaseOfAnotherExcludesIt() {
    here.lease(file).join();
    assertThat(there.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    here.unlease(Set.of(file)).join();
    assertThat(there.leaseAppends(file).join()).isEqualTo(OTHER);
  }

  @Test
  void writeLeaseIsNotGivenWhileAnotherAppends() {
    here.leaseAppends(file).join();
    assertThat(there.lease(file).join().holder()).isZero();
    here.unleaseAppends(Set.of(file)).join();
    assertThat(there.lease(file).join().holder()).isEqualTo(OTHER);
  }

  @Test
  void sessionMayHaveBothAndGiveThemBackOneByOne() {
    here.leaseAppends(file).join();
    assertThat(here.lease(file).join().holder()).isEqualTo(NamespaceFixture.SESSION);
    there.recall(file).join();
    here.unlease(Set.of(file)).join();
    assertThat(here.recalls().join()).as("of the lease that is left").containsExactly(file);
    assertThat(there.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    here.unleaseAppends(Set.of(file)).join();
    assertThat(fixture.lookup("f").holder()).isZero();
    assertThat(leases()).isEmpty();
  }

  @Test
  void itEndsWithItsSession() {
    here.leaseAppends(file).join();
    fixture.submit(new Command.DropPins(NamespaceFixture.SESSION));
    assertThat(there.leaseAppends(file).join()).isEqualTo(OTHER);
  }

  @Test
  void nextSessionOfTheMountDoesNotInheritIt() {
    here.leaseAppends(file).join();
    there.inherit(NamespaceFixture.SESSION).join();
    assertThat(there.leaseAppends(file).join()).isEqualTo(NamespaceFixture.SESSION);
    fixture.submit(new Command.DropPins(NamespaceFixture.SESSION));
    assertThat(there.leaseAppends(file).join()).isEqualTo(OTHER);
  }

  @Test
  void itGoesWithTheInode() {
    here.leaseAppends(file).join();
    here.unlink(fixture.at("f")).join();
    fixture.submit(new Command.Reclaim(List.of(1L)));
    assertThat(fixture.dump()).doesNotContain("\n61").doesNotContain("\n6c");
    assertThat(reasonOf(there.leaseAppends(file))).isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void directoriesHaveNone() {
    long directory = fixture.directory("d").inode();
    assertThat(reasonOf(here.leaseAppends(directory))).isEqualTo(Reason.INVALID);
  }

  /** Rows of leases are those that are looked at: 'a', 'l', 'q', and the inodes'. */
  private List<String> leases() {
    return fixture.dump().lines().filter(row -> row.matches("(61|6c|71).*")).toList();
  }

  private String withoutReplies() {
    return fixture
        .dump()
        .lines()
        .filter(row -> row.matches("(61|6c|71|69).*"))
        .reduce("", (before, row) -> before + row + "\n");
  }
}
