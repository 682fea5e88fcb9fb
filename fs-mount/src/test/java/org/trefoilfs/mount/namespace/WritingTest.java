package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;

/** Who is known to write a file through, and when what others have read of it counts no longer. */
final class WritingTest {
  private static final long HERE = NamespaceFixture.SESSION;
  private static final long THERE = 42;

  private final NamespaceFixture fixture = new NamespaceFixture();
  private final StateLogNames here = fixture.names;
  private final StateLogNames there =
      StateLogNames.open(fixture.log, NamespaceFixture.VOLUME, THERE, fixture).join();
  private final long file = fixture.file("f").inode();

  private Writers writers() {
    return fixture.lookup("f").writers();
  }

  @Test
  void eachWhoBeginsIsAmongThemAndMakesANewVersion() {
    assertThat(writers()).isEqualTo(Writers.NONE);
    Writers one = here.beginWriting(file).join().writers();
    assertThat(one.sessions()).containsExactly(HERE);
    assertThat(one.version()).isEqualTo(1);
    assertThat(here.beginWriting(file).join().writers()).as("again").isEqualTo(one);
    Writers two = there.beginWriting(file).join().writers();
    assertThat(two.sessions()).containsExactly(HERE, THERE);
    assertThat(two.version()).isEqualTo(2);
    here.endWriting(Set.of(file)).join();
    assertThat(writers().sessions()).containsExactly(THERE);
    assertThat(writers().version()).as("nothing is written by ending").isEqualTo(2);
    assertThat(here.beginWriting(file).join().writers().version()).isEqualTo(3);
  }

  @Test
  void whoMakesAFileToWriteItNeedNotSaySo() {
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    Attributes made = here.createToWrite(fixture.at("g"), wanted).join();
    assertThat(made.writers().sessions()).containsExactly(HERE);
    assertThat(fixture.lookup("g")).isEqualTo(made);
  }

  @Test
  void nobodyEndsForAnother() {
    here.beginWriting(file).join();
    there.endWriting(Set.of(file)).join();
    assertThat(writers().sessions()).containsExactly(HERE);
  }

  @Test
  void writeLeaseIsAnotherVersion() {
    Writers before = writers();
    assertThat(here.lease(file).join().writers().version()).isEqualTo(before.version() + 1);
    assertThat(here.lease(file).join().writers().version()).isEqualTo(before.version() + 1);
    here.unlease(Set.of(file)).join();
    assertThat(writers().version()).as("nothing is written by ending").isEqualTo(1);
  }

  @Test
  void sessionThatIsOverWritesNothingMore() {
    here.beginWriting(file).join();
    there.beginWriting(file).join();
    fixture.submit(new Command.DropPins(HERE));
    assertThat(writers().sessions()).containsExactly(THERE);
  }

  @Test
  void sessionThatGoesOnIsOneMore() {
    here.beginWriting(file).join();
    here.lease(file).join();
    there.inherit(HERE).join();
    assertThat(writers().sessions()).as("late writes of it may come").containsExactly(HERE);
    assertThat(fixture.lookup("f").holder()).isEqualTo(THERE);
    fixture.submit(new Command.DropPins(HERE));
    assertThat(writers().sessions()).isEmpty();
    assertThat(fixture.lookup("f").holder()).isEqualTo(THERE);
  }

  @Test
  void nothingIsLeftOfAFileThatGoes() {
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    List<String> before = rows();
    here.createToWrite(fixture.at("g"), wanted).join();
    here.unlink(fixture.at("g")).join();
    new Reclaimer(fixture.log, () -> Long.MAX_VALUE, volume -> new RecordingVolume())
        .runOnce()
        .join();
    assertThat(rows()).isEqualTo(before);
  }

  @Test
  void directoriesAreNotWritten() {
    assertThat(reasonOf(here.beginWriting(fixture.root))).isEqualTo(Reason.INVALID);
  }

  /** What sessions have of inodes. */
  private List<String> rows() {
    return fixture.dump().lines().filter(row -> row.matches("6c.*")).toList();
  }
}
