package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.replication.Reason;

/** rename(2), with its flags. */
class RenameTest {
  private final NamespaceFixture fs = new NamespaceFixture();

  @Test
  void renamedFileKeepsItsInode() {
    Attributes file = fs.file("a");
    fs.now = 3_000;
    fs.rename("a", "b");
    assertThat(fs.list(fs.root)).containsExactly("b");
    assertThat(fs.lookup("b").inode()).isEqualTo(file.inode());
    assertThat(fs.lookup("b").ctime()).isEqualTo(3_000);
    assertThat(fs.lookup("b").mtime()).isEqualTo(file.mtime());
    assertThat(fs.lookup("/").mtime()).isEqualTo(3_000);
  }

  @Test
  void renamedDirectoryTakesItsTreeAlong() {
    fs.directory("a");
    fs.directory("a/b");
    fs.file("a/b/f");
    fs.directory("c");
    fs.rename("a/b", "c/d");
    assertThat(fs.lookup("c/d/f").nlink()).isEqualTo(1);
    assertThat(fs.lookup("a").nlink()).isEqualTo(2);
    assertThat(fs.lookup("c").nlink()).isEqualTo(3);
    assertThat(fs.lookup("c/d/..")).isEqualTo(fs.lookup("c"));
  }

  @Test
  void renameOverAFileReplacesItAtOnce() {
    fs.file("a");
    Attributes replaced = fs.file("b");
    fs.rename("a", "b");
    assertThat(fs.list(fs.root)).containsExactly("b");
    assertThat(fs.lookup("/").size()).isEqualTo(1);
    assertThat(fs.names.lookup(Location.of(replaced.inode())).join().nlink()).isZero();
    assertThat(fs.names.orphansAfter(0).join().inodes()).containsExactly(replaced.inode());
  }

  @Test
  void renameOverAnEmptyDirectoryReplacesIt() {
    Attributes a = fs.directory("a");
    fs.directory("b");
    fs.rename("a", "b");
    assertThat(fs.lookup("b").inode()).isEqualTo(a.inode());
    assertThat(fs.lookup("/").nlink()).isEqualTo(3);
  }

  @Test
  void renameOverNonEmptyDirectoryFails() {
    fs.directory("a");
    fs.directory("b");
    fs.file("b/f");
    assertThat(move("a", "b")).isEqualTo(Reason.NOT_EMPTY);
  }

  @Test
  void renameOfAFileOverADirectoryFails() {
    fs.file("a");
    fs.directory("b");
    assertThat(move("a", "b")).isEqualTo(Reason.IS_DIRECTORY);
    assertThat(move("b", "a")).isEqualTo(Reason.NOT_DIRECTORY);
  }

  @Test
  void renameIntoOwnDescendantFails() {
    fs.directory("a");
    fs.directory("a/b");
    fs.directory("a/b/c");
    assertThat(move("a", "a/x")).isEqualTo(Reason.INVALID);
    assertThat(move("a", "a/b/c/x")).isEqualTo(Reason.INVALID);
    assertThat(move("a", "a/b")).isEqualTo(Reason.INVALID);
    assertThat(move("a/b/c", "a")).isEqualTo(Reason.NOT_EMPTY);
  }

  @Test
  void renameOntoAnotherNameOfTheSameInodeDoesNothing() {
    fs.file("a");
    fs.names.link(fs.at("a"), fs.at("b")).join();
    Attributes before = fs.lookup("a");
    fs.now = 9_000;
    fs.rename("a", "b");
    fs.rename("a", "a");
    assertThat(fs.list(fs.root)).containsExactly("a", "b");
    assertThat(fs.lookup("a")).isEqualTo(before);
  }

  @Test
  void renameOfWhatIsNotThereFails() {
    fs.directory("d");
    assertThat(move("x", "d")).isEqualTo(Reason.NOT_FOUND);
    assertThat(move("x/y", "d")).isEqualTo(Reason.NOT_FOUND);
    assertThat(move("d", "x/y")).isEqualTo(Reason.NOT_FOUND);
    assertThat(move("/", "d")).isEqualTo(Reason.BUSY);
    assertThat(move("d", "/")).isEqualTo(Reason.BUSY);
    assertThat(move("d", "n".repeat(256))).isEqualTo(Reason.NAME_TOO_LONG);
  }

  @Test
  void noReplaceRefusesATakenName() {
    fs.file("a");
    fs.file("b");
    assertThat(reasonOf(fs.names.rename(fs.at("a"), fs.at("b"), RenameMode.NO_REPLACE)))
        .isEqualTo(Reason.EXISTS);
    fs.names.rename(fs.at("a"), fs.at("c"), RenameMode.NO_REPLACE).join();
    assertThat(fs.list(fs.root)).containsExactly("b", "c");
  }

  @Test
  void exchangeSwapsAFileAndADirectory() {
    fs.directory("p");
    fs.directory("q");
    Attributes file = fs.file("p/f");
    Attributes directory = fs.directory("q/d");
    fs.file("q/d/x");
    fs.names.rename(fs.at("p/f"), fs.at("q/d"), RenameMode.EXCHANGE).join();
    assertThat(fs.lookup("q/d").inode()).isEqualTo(file.inode());
    assertThat(fs.lookup("p/f").inode()).isEqualTo(directory.inode());
    assertThat(fs.lookup("p/f/x").nlink()).isEqualTo(1);
    assertThat(fs.lookup("p/f/..")).isEqualTo(fs.lookup("p"));
    assertThat(List.of(fs.lookup("p").nlink(), fs.lookup("q").nlink())).containsExactly(3, 2);
    assertThat(List.of(fs.lookup("p").size(), fs.lookup("q").size())).containsExactly(1L, 1L);
  }

  @Test
  void exchangeNeedsBothAndNoAncestor() {
    fs.directory("a");
    fs.directory("a/b");
    fs.file("f");
    assertThat(exchange("f", "x")).isEqualTo(Reason.NOT_FOUND);
    assertThat(exchange("a", "a/b")).isEqualTo(Reason.INVALID);
    assertThat(exchange("a/b", "a")).isEqualTo(Reason.INVALID);
    fs.file("a/b/g");
    assertThat(exchange("a/b/g", "a")).isEqualTo(Reason.INVALID);
  }

  @Test
  void exchangeWithinOneDirectoryKeepsItsCounts() {
    fs.directory("a");
    fs.file("f");
    fs.names.rename(fs.at("a"), fs.at("f"), RenameMode.EXCHANGE).join();
    assertThat(fs.lookup("f").type()).isEqualTo(FileType.DIRECTORY);
    assertThat(fs.lookup("a").type()).isEqualTo(FileType.REGULAR);
    assertThat(fs.lookup("/").nlink()).isEqualTo(3);
    assertThat(fs.lookup("/").size()).isEqualTo(2);
  }

  private Reason move(String from, String to) {
    return reasonOf(fs.names.rename(fs.at(from), fs.at(to), RenameMode.REPLACE));
  }

  private Reason exchange(String a, String b) {
    return reasonOf(fs.names.rename(fs.at(a), fs.at(b), RenameMode.EXCHANGE));
  }
}
