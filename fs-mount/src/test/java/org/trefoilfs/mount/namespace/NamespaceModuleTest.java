package org.trefoilfs.mount.namespace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;

/** What each operation means, in the order of the man pages of section 2. */
class NamespaceModuleTest {
  private final NamespaceFixture fs = new NamespaceFixture();

  @Test
  void rootIsAnEmptyDirectoryOfTwoLinks() {
    Attributes root = fs.lookup("/");
    assertThat(root.type()).isEqualTo(FileType.DIRECTORY);
    assertThat(root.mode() & 07777).isEqualTo(0755);
    assertThat(root.nlink()).isEqualTo(2);
    assertThat(fs.list(fs.root)).isEmpty();
    assertThat(fs.root).as("FUSE's own number for roots").isNotEqualTo(1);
  }

  @Test
  void openingAgainFindsTheSameRoot() {
    assertThat(StateLogNames.open(fs.log, NamespaceFixture.VOLUME, 99, fs).join().root())
        .isEqualTo(fs.root);
    assertThat(StateLogNames.open(fs.log, 8, 99, fs).join().root()).isNotEqualTo(fs.root);
  }

  @Test
  void createdFileIsFoundByNameAndByNumber() {
    fs.directory("a");
    fs.directory("a/b");
    Attributes made = fs.file("a/b/c");
    assertThat(fs.lookup("a/b/c")).isEqualTo(made);
    assertThat(fs.names.lookup(Location.of(made.inode())).join()).isEqualTo(made);
    assertThat(made.nlink()).isEqualTo(1);
    assertThat(made.mtime()).isEqualTo(fs.now);
  }

  @Test
  void createUpdatesTimesAndLinksOfTheParent() {
    fs.now = 2_000;
    fs.directory("d");
    Attributes root = fs.lookup("/");
    assertThat(root.nlink()).isEqualTo(3);
    assertThat(root.mtime()).isEqualTo(2_000);
    assertThat(root.ctime()).isEqualTo(2_000);
    assertThat(root.size()).isEqualTo(1);
  }

  @Test
  void createOverATakenNameFails() {
    fs.file("a");
    fs.directory("d");
    assertThat(reasonOf(create("a"))).isEqualTo(Reason.EXISTS);
    assertThat(reasonOf(create("d"))).isEqualTo(Reason.EXISTS);
    assertThat(reasonOf(create("/"))).isEqualTo(Reason.EXISTS);
  }

  @Test
  void walkingThroughAFileIsNotADirectory() {
    fs.file("a");
    fs.symlink("s", "a");
    assertThat(reasonOf(create("a/b"))).isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.lookup(fs.at("a/b")))).isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.lookup(fs.at("a/b/c")))).isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.lookup(fs.at("s/b")))).isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.lookup(fs.at("x/b")))).isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void namesOfMoreThan255BytesAreTooLong() {
    String longest = "n".repeat(255);
    assertThat(fs.file(longest)).isEqualTo(fs.lookup(longest));
    assertThat(reasonOf(create(longest + "n"))).isEqualTo(Reason.NAME_TOO_LONG);
    assertThat(reasonOf(fs.names.lookup(fs.at(longest + "n")))).isEqualTo(Reason.NAME_TOO_LONG);
  }

  @Test
  void dotsCannotBeMadeButAreFound() {
    fs.directory("a");
    Attributes b = fs.directory("a/b");
    assertThat(reasonOf(create("a/."))).isEqualTo(Reason.INVALID);
    assertThat(reasonOf(create("a/.."))).isEqualTo(Reason.INVALID);
    assertThat(fs.names.lookup(Location.of(b.inode(), "..".getBytes(UTF_8))).join())
        .isEqualTo(fs.lookup("a"));
    assertThat(fs.lookup("a/../a/./b")).isEqualTo(b);
    assertThat(fs.lookup("/..").inode()).isEqualTo(fs.root);
  }

  @Test
  void namesAreBytesAndListedInByteOrder() {
    fs.file("b");
    fs.file("a");
    fs.file("é");
    fs.file("a\u0001");
    assertThat(fs.list(fs.root)).containsExactly("a", "a\u0001", "b", "é");
    assertThat(fs.names.list(fs.root, "a".getBytes(UTF_8), 2).join())
        .extracting(entry -> new String(entry.name(), UTF_8))
        .containsExactly("a\u0001", "b");
  }

  @Test
  void listingAFileFails() {
    Attributes file = fs.file("a");
    assertThat(reasonOf(fs.names.list(file.inode(), new byte[0], 10)))
        .isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.list(12345, new byte[0], 10))).isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void setGroupIdDirectoryHandsItsGroupDown() {
    Attributes parent = fs.make("d", FileType.DIRECTORY, 02775, "");
    fs.names.setAttributes(
        fs.at("d"), AttributeChange.owner(OptionalInt.empty(), OptionalInt.of(77)));
    Attributes file = fs.file("d/f");
    Attributes child = fs.directory("d/e");
    assertThat(parent.gid()).isEqualTo(20);
    assertThat(file.gid()).isEqualTo(77);
    assertThat(file.mode() & 07777).isEqualTo(0644);
    assertThat(child.gid()).isEqualTo(77);
    assertThat(child.mode() & 07777).isEqualTo(02755);
  }

  @Test
  void symbolicLinkKeepsItsTarget() {
    Attributes link = fs.symlink("s", "../x");
    assertThat(link.size()).isEqualTo(4);
    assertThat(fs.names.readLink(fs.at("s")).join()).isEqualTo("../x".getBytes(UTF_8));
    fs.file("f");
    assertThat(reasonOf(fs.names.readLink(fs.at("f")))).isEqualTo(Reason.INVALID);
  }

  @Test
  void symbolicLinkTargetsAreBounded() {
    fs.symlink("s", "t".repeat(4095));
    NewInode tooLong = new NewInode(FileType.SYMBOLIC_LINK.bits() | 0777, 0, 0, 0, new byte[4096]);
    assertThat(reasonOf(fs.names.create(fs.at("t"), tooLong))).isEqualTo(Reason.NAME_TOO_LONG);
  }

  @Test
  void deviceKeepsItsNumber() {
    NewInode device = new NewInode(FileType.BLOCK_DEVICE.bits() | 0600, 0, 0, 0x0803, new byte[0]);
    assertThat(fs.names.create(fs.at("sda3"), device).join().rdev()).isEqualTo(0x0803);
  }

  @Test
  void linkedFileIsOneInode() {
    Attributes file = fs.file("a");
    fs.now = 5_000;
    Attributes linked = fs.names.link(fs.at("a"), fs.at("b")).join();
    assertThat(linked.inode()).isEqualTo(file.inode());
    assertThat(linked.nlink()).isEqualTo(2);
    assertThat(linked.ctime()).isEqualTo(5_000);
    assertThat(linked.mtime()).isEqualTo(file.mtime());
    fs.names.unlink(fs.at("a")).join();
    assertThat(fs.lookup("b").nlink()).isEqualTo(1);
  }

  @Test
  void linkRefusesDirectoriesTakenNamesAndOrphans() {
    fs.directory("d");
    Attributes file = fs.file("a");
    assertThat(reasonOf(fs.names.link(fs.at("d"), fs.at("e")))).isEqualTo(Reason.NOT_PERMITTED);
    assertThat(reasonOf(fs.names.link(fs.at("a"), fs.at("d")))).isEqualTo(Reason.EXISTS);
    assertThat(reasonOf(fs.names.link(fs.at("x"), fs.at("d")))).isEqualTo(Reason.NOT_FOUND);
    fs.names.unlink(fs.at("a")).join();
    assertThat(reasonOf(fs.names.link(Location.of(file.inode()), fs.at("b"))))
        .isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void linksAreBounded() {
    Attributes file = fs.file("0");
    for (int i = 1; i < Limits.LINKS; i++) {
      fs.names.link(Location.of(file.inode()), fs.at(Integer.toString(i))).join();
    }
    assertThat(reasonOf(fs.names.link(fs.at("0"), fs.at("one more"))))
        .isEqualTo(Reason.TOO_MANY_LINKS);
  }

  @Test
  void unlinkedFileLivesOnWithoutAName() {
    Attributes file = fs.file("a");
    fs.names.unlink(fs.at("a")).join();
    assertThat(reasonOf(fs.names.lookup(fs.at("a")))).isEqualTo(Reason.NOT_FOUND);
    assertThat(fs.names.lookup(Location.of(file.inode())).join().nlink()).isZero();
    Attributes grown = fs.names.wrote(file.inode(), 0, 100, fs.now, Names.Privileges.KEEP).join();
    assertThat(grown.size()).isEqualTo(100);
  }

  @Test
  void whatAFileTakesIsKnownUntilItMayHaveHoles() {
    long file = fs.file("f").inode();
    assertThat(wrote(file, 0, 5000).allocated()).isEqualTo(8192);
    assertThat(wrote(file, 5000, 9000).allocated()).isEqualTo(12288);
    // Inside, and over the end of what was there.
    assertThat(wrote(file, 100, 0).allocated()).isEqualTo(12288);
    assertThat(wrote(file, 8000, 13000).allocated()).isEqualTo(16384);
    assertThat(sized(file, 100).allocated()).isEqualTo(4096);
    assertThat(wrote(file, 101, 200).mayHaveHoles()).isTrue();
    assertThat(sized(file, 1).mayHaveHoles()).isTrue();
    assertThat(sized(file, 0).allocated()).isZero();
    assertThat(wrote(file, Names.HOLES, 0).mayHaveHoles()).isTrue();
    assertThat(sized(file, 0).mayHaveHoles()).isFalse();
    assertThat(sized(file, 1).mayHaveHoles()).isTrue();
  }

  private Attributes wrote(long inode, long from, long end) {
    return fs.names.wrote(inode, from, end, fs.now, Names.Privileges.KEEP).join();
  }

  private Attributes sized(long inode, long size) {
    return fs.names.setAttributes(Location.of(inode), AttributeChange.size(size)).join();
  }

  @Test
  void unlinkOfADirectoryFails() {
    fs.directory("d");
    assertThat(reasonOf(fs.names.unlink(fs.at("d")))).isEqualTo(Reason.IS_DIRECTORY);
    assertThat(reasonOf(fs.names.unlink(fs.at("x")))).isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void rmdirRemovesOnlyEmptyDirectories() {
    fs.directory("d");
    fs.file("d/f");
    fs.file("f");
    assertThat(reasonOf(fs.names.rmdir(fs.at("d")))).isEqualTo(Reason.NOT_EMPTY);
    assertThat(reasonOf(fs.names.rmdir(fs.at("f")))).isEqualTo(Reason.NOT_DIRECTORY);
    assertThat(reasonOf(fs.names.rmdir(fs.at("/")))).isEqualTo(Reason.BUSY);
    fs.names.unlink(fs.at("d/f")).join();
    fs.names.rmdir(fs.at("d")).join();
    assertThat(fs.lookup("/").nlink()).isEqualTo(2);
    assertThat(fs.list(fs.root)).containsExactly("f");
  }

  @Test
  void nothingIsMadeInARemovedDirectory() {
    long removed = fs.directory("d").inode();
    fs.names.rmdir(fs.at("d")).join();
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    byte[] name = {'f'};
    assertThat(reasonOf(fs.names.create(Location.of(removed, name), file)))
        .isEqualTo(Reason.NOT_FOUND);
    fs.file("g");
    assertThat(
            reasonOf(
                fs.names.rename(fs.at("g"), Location.of(removed, name), Names.RenameMode.REPLACE)))
        .isEqualTo(Reason.NOT_FOUND);
    assertThat(fs.list(removed)).isEmpty();
    assertThat(fs.names.lookup(Location.of(removed)).join().nlink()).isZero();
  }

  @Test
  void setAttributesChangesOnlyWhatIsGiven() {
    Attributes before = fs.file("a");
    fs.now = 9_000;
    Attributes after = fs.names.setAttributes(fs.at("a"), AttributeChange.mode(0600)).join();
    assertThat(after.mode()).isEqualTo(FileType.REGULAR.bits() | 0600);
    assertThat(after.ctime()).isEqualTo(9_000);
    assertThat(after.mtime()).isEqualTo(before.mtime());
    assertThat(after.uid()).isEqualTo(before.uid());
    Attributes timed =
        fs.names
            .setAttributes(
                fs.at("a"), AttributeChange.times(OptionalLong.of(3), OptionalLong.of(-4)))
            .join();
    assertThat(timed.atime()).isEqualTo(3);
    assertThat(timed.mtime()).as("before the epoch").isEqualTo(-4);
  }

  @Test
  void changeTimeNeverGoesBack() {
    fs.now = 9_000;
    fs.file("a");
    fs.now = 8_000;
    assertThat(fs.names.setAttributes(fs.at("a"), AttributeChange.mode(0600)).join().ctime())
        .isEqualTo(9_000);
  }

  @Test
  void truncatingSetsSizeAndModificationTime() {
    fs.file("a");
    fs.now = 9_000;
    Attributes grown = fs.names.setAttributes(fs.at("a"), AttributeChange.size(1 << 20)).join();
    assertThat(grown.size()).isEqualTo(1 << 20);
    assertThat(grown.mtime()).isEqualTo(9_000);
    assertThat(fs.names.usage().join()).isEqualTo(new Names.Usage(2, 1 << 20));
    fs.names.setAttributes(fs.at("a"), AttributeChange.size(10)).join();
    assertThat(fs.names.usage().join()).isEqualTo(new Names.Usage(2, 10));
  }

  @Test
  void sizesOfOtherThanFilesCannotBeSet() {
    fs.directory("d");
    fs.symlink("s", "d");
    fs.file("f");
    assertThat(reasonOf(resize("d", 1))).isEqualTo(Reason.IS_DIRECTORY);
    assertThat(reasonOf(resize("s", 1))).isEqualTo(Reason.INVALID);
    assertThat(reasonOf(resize("f", -1))).isEqualTo(Reason.INVALID);
    assertThat(reasonOf(resize("f", Limits.FILE_SIZE + 1))).isEqualTo(Reason.TOO_LARGE);
  }

  @Test
  void wroteOnlyGrowsSizeAndTime() {
    long file = fs.file("a").inode();
    fs.names.wrote(file, 0, 100, 5_000, Names.Privileges.KEEP).join();
    Attributes late = fs.names.wrote(file, 0, 50, 4_000, Names.Privileges.KEEP).join();
    assertThat(late.size()).isEqualTo(100);
    assertThat(late.mtime()).isEqualTo(5_000);
    assertThat(late.ctime()).isEqualTo(5_000);
  }

  @Test
  void wroteClearsSetIdBits() {
    assertThat(modeAfterWrite("a", 06755, Names.Privileges.CLEAR_SET_ID)).isEqualTo(0755);
    assertThat(modeAfterWrite("b", 06745, Names.Privileges.CLEAR_SET_ID))
        .as("without group execution, set-group-id stays")
        .isEqualTo(02745);
    assertThat(modeAfterWrite("c", 06755, Names.Privileges.KEEP)).isEqualTo(06755);
  }

  @Test
  void xattrsAreSetReplacedListedAndRemoved() {
    fs.file("a");
    assertThat(reasonOf(getXattr("user.x"))).isEqualTo(Reason.NO_ATTRIBUTE);
    setXattr("user.x", "1", Names.XattrMode.CREATE).join();
    setXattr("user.y", "", Names.XattrMode.CREATE_OR_REPLACE).join();
    assertThat(reasonOf(setXattr("user.x", "2", Names.XattrMode.CREATE))).isEqualTo(Reason.EXISTS);
    assertThat(reasonOf(setXattr("user.z", "2", Names.XattrMode.REPLACE)))
        .isEqualTo(Reason.NO_ATTRIBUTE);
    setXattr("user.x", "2", Names.XattrMode.REPLACE).join();
    assertThat(getXattr("user.x").join()).isEqualTo("2".getBytes(UTF_8));
    assertThat(getXattr("user.y").join()).isEmpty();
    assertThat(fs.names.listXattrs(fs.at("a")).join())
        .containsExactly("user.x".getBytes(UTF_8), "user.y".getBytes(UTF_8));
    fs.names.removeXattr(fs.at("a"), "user.x".getBytes(UTF_8)).join();
    assertThat(reasonOf(fs.names.removeXattr(fs.at("a"), "user.x".getBytes(UTF_8))))
        .isEqualTo(Reason.NO_ATTRIBUTE);
    assertThat(fs.names.listXattrs(fs.at("a")).join()).hasSize(1);
  }

  @Test
  void xattrsAreBounded() {
    fs.file("a");
    setXattr("n".repeat(255), "v".repeat(64 << 10), Names.XattrMode.CREATE).join();
    assertThat(reasonOf(setXattr("n".repeat(256), "", Names.XattrMode.CREATE)))
        .isEqualTo(Reason.NAME_TOO_LONG);
    assertThat(reasonOf(setXattr("m", "v".repeat((64 << 10) + 1), Names.XattrMode.CREATE)))
        .isEqualTo(Reason.TOO_LARGE);
    for (int i = 1; i < Limits.XATTRS; i++) {
      setXattr("user." + i, "", Names.XattrMode.CREATE).join();
    }
    assertThat(reasonOf(setXattr("user.more", "", Names.XattrMode.CREATE)))
        .isEqualTo(Reason.NO_SPACE);
  }

  @Test
  void numbersOfOneVolumeAreUnknownInAnother() {
    long file = fs.file("a").inode();
    fs.directory("d");
    fs.file("d/f");
    StateLogNames other = StateLogNames.open(fs.log, 8, 99, fs).join();
    assertThat(reasonOf(other.lookup(Location.of(file)))).isEqualTo(Reason.NOT_FOUND);
    assertThat(reasonOf(other.lookup(fs.at("d/f")))).isEqualTo(Reason.NOT_FOUND);
    assertThat(reasonOf(other.unlink(fs.at("d/f")))).isEqualTo(Reason.NOT_FOUND);
    assertThat(fs.lookup("d/f").nlink()).isEqualTo(1);
  }

  @Test
  void errorsNameThePath() {
    fs.directory("d");
    assertThatThrownBy(() -> fs.lookup("d/absent\n"))
        .hasMessageContaining("'d/absent?'")
        .hasMessageContaining("does not exist");
  }

  private CompletableFuture<Attributes> create(String path) {
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return fs.names.create(fs.at(path), file);
  }

  private CompletableFuture<Attributes> resize(String path, long size) {
    return fs.names.setAttributes(fs.at(path), AttributeChange.size(size));
  }

  private int modeAfterWrite(String path, int mode, Names.Privileges privileges) {
    long inode = fs.make(path, FileType.REGULAR, mode, "").inode();
    return fs.names.wrote(inode, 0, 1, fs.now, privileges).join().mode() & 07777;
  }

  private CompletableFuture<byte[]> getXattr(String name) {
    return fs.names.getXattr(fs.at("a"), name.getBytes(UTF_8));
  }

  private CompletableFuture<Void> setXattr(String name, String value, Names.XattrMode mode) {
    return fs.names.setXattr(fs.at("a"), name.getBytes(UTF_8), value.getBytes(UTF_8), mode);
  }
}
