package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.ReferenceTree.bytes;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.namespace.Names.Privileges;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.ReferenceTree.Node;
import org.trefoilfs.mount.namespace.ReferenceTree.Path;
import org.trefoilfs.mount.namespace.ReferenceTree.Refused;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Random operations on the namespace and on a tree of plain objects. Every command goes to two
 * replicas and some go twice.
 */
class NamespaceModelTest implements TimeSource {
  private static final int OPERATIONS = 8_000;
  private static final int COMPARE_EVERY = 100;
  private static final int VOLUME = 3;
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "\u00ff", "e f");
  private static final List<String> ODD = List.of(".", "..", "n".repeat(256), "x/y", "");

  private final RecordingVolume volumes = new RecordingVolume();
  private final Replicas log = new Replicas();
  private final Reclaimer reclaimer = new Reclaimer(log, () -> Long.MAX_VALUE, volume -> volumes);
  private final TreeMap<String, Integer> outcomes = new TreeMap<>();
  private Random random;
  private StateLogNames names;
  private ReferenceTree model;
  private long now = 1;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 0})
  void namespaceBehavesAsTheReferenceTree(long seed) {
    long used = seed == 0 ? System.nanoTime() : seed;
    System.out.println("NamespaceModelTest seed " + used);
    random = new Random(used);
    names = StateLogNames.open(log, VOLUME, 9, this).join();
    model = new ReferenceTree(names.root(), now);
    int step = 0;
    try {
      for (; step < OPERATIONS; step++) {
        now++;
        model.now = now;
        step();
        if (step % COMPARE_EVERY == 0) {
          compareAll();
        }
      }
    } catch (RuntimeException | AssertionError failure) {
      throw new AssertionError("seed " + used + ", step " + step, failure);
    }
    compareAll();
    assertThat(outcomes.keySet())
        .as("what the run has met")
        .contains("rename ok", "rename INVALID", "rename NOT_EMPTY", "rename IS_DIRECTORY")
        .contains("rename NOT_DIRECTORY", "rename EXISTS", "link ok", "link NOT_PERMITTED")
        .contains("rmdir NOT_EMPTY", "create NAME_TOO_LONG", "wrote ok", "setXattr EXISTS");
  }

  private void step() {
    switch (random.nextInt(22)) {
      case 0, 1, 2 -> create(FileType.REGULAR, "");
      case 3, 4 -> create(FileType.DIRECTORY, "");
      case 5 -> create(FileType.SYMBOLIC_LINK, "to/" + random.nextInt(100));
      case 6 -> link();
      case 7, 8 -> {
        Path at = path();
        both("unlink", () -> names.unlink(at.location()), () -> model.unlink(at));
      }
      case 9 -> {
        Path at = path();
        both("rmdir", () -> names.rmdir(at.location()), () -> model.rmdir(at));
      }
      case 10, 11, 12, 13 -> rename();
      case 14 -> setAttributes();
      case 15 -> wrote();
      case 16, 17 -> xattr();
      case 18 -> {
        Path at = path();
        Node[] node = new Node[1];
        Attributes found =
            both("lookup", () -> names.lookup(at.location()), () -> node[0] = model.resolve(at));
        assertThat(found).isEqualTo(found == null ? null : model.attributes(node[0]));
      }
      case 19 -> readLink();
      case 20 -> pin();
      default -> reclaimSometimes();
    }
  }

  private void create(FileType type, String target) {
    Path at = path();
    int permissions = type == FileType.DIRECTORY && random.nextInt(4) == 0 ? 02755 : 06755;
    NewInode wanted = new NewInode(type.bits() | permissions, 5, 6, 0, bytes(target));
    Node[] made = new Node[1];
    Attributes found =
        both(
            "create",
            () -> names.create(at.location(), wanted),
            () -> made[0] = model.create(at, type, permissions, target));
    if (found != null) {
      made[0].inode = found.inode();
      assertThat(found).isEqualTo(model.attributes(made[0]));
    }
  }

  private void link() {
    Path from = path();
    Path to = path();
    Node[] linked = new Node[1];
    Attributes found =
        both(
            "link",
            () -> names.link(from.location(), to.location()),
            () -> linked[0] = model.link(from, to));
    if (found != null) {
      assertThat(found).isEqualTo(model.attributes(linked[0]));
    }
  }

  private void rename() {
    Path from = path();
    Path to = path();
    RenameMode mode = RenameMode.values()[random.nextInt(3)];
    both(
        "rename",
        () -> names.rename(from.location(), to.location(), mode),
        () -> model.rename(from, to, mode));
  }

  private void setAttributes() {
    Path at = path();
    AttributeChange change =
        switch (random.nextInt(4)) {
          case 0 -> AttributeChange.mode(random.nextInt(010000));
          case 1 -> AttributeChange.size(random.nextInt(1 << 20));
          case 2 -> AttributeChange.owner(OptionalInt.of(random.nextInt(9)), OptionalInt.empty());
          default ->
              AttributeChange.times(OptionalLong.of(random.nextInt(99)), OptionalLong.empty());
        };
    both(
        "setAttributes",
        () -> names.setAttributes(at.location(), change),
        () -> model.setAttributes(at, change));
  }

  private void wrote() {
    Node node = anyNode();
    long end = random.nextInt(1 << 20);
    long from = random.nextInt(4) == 0 ? Names.HOLES : random.nextLong(end + 1);
    Privileges privileges = random.nextBoolean() ? Privileges.KEEP : Privileges.CLEAR_SET_ID;
    both(
        "wrote",
        () -> names.wrote(node.inode, from, end, now - 5, privileges),
        () -> model.wrote(node, from, end, now - 5, privileges == Privileges.CLEAR_SET_ID));
  }

  private void xattr() {
    Path at = path();
    String name = "user." + random.nextInt(3);
    if (random.nextInt(3) == 0) {
      both(
          "removeXattr",
          () -> names.removeXattr(at.location(), bytes(name)),
          () -> model.removeXattr(at, name));
      return;
    }
    XattrMode mode = XattrMode.values()[random.nextInt(3)];
    both(
        "setXattr",
        () -> names.setXattr(at.location(), bytes(name), bytes("v" + now), mode),
        () -> model.setXattr(at, name, "v" + now, mode));
  }

  private void readLink() {
    Path at = path();
    String[] target = new String[1];
    byte[] found =
        both("readLink", () -> names.readLink(at.location()), () -> target[0] = model.readLink(at));
    assertThat(found).isEqualTo(found == null ? null : bytes(target[0]));
  }

  private void pin() {
    Node node = anyNode();
    if (node.gone) {
      return;
    }
    if (model.pinned.remove(node)) {
      names.unpin(Set.of(node.inode)).join();
    } else {
      model.pinned.add(node);
      names.pin(Set.of(node.inode)).join();
    }
  }

  private void reclaimSometimes() {
    if (random.nextInt(20) > 0) {
      return;
    }
    int idle = 0;
    while (idle < 2) {
      idle = reclaimer.runOnce().join() == 0 ? idle + 1 : 0;
    }
    model.reclaim();
  }

  /** The same on both; the value when it succeeded, null when both refused alike. */
  private <T> T both(String verb, Supplier<CompletableFuture<T>> real, Runnable expected) {
    Reason reason = null;
    try {
      expected.run();
    } catch (Refused refused) {
      reason = refused.reason;
    }
    String before = random.nextInt(8) == 0 ? log.rows() : "";
    T value = null;
    Reason actual = null;
    try {
      value = real.get().join();
    } catch (CompletionException failed) {
      actual = TrefoilException.of(failed).reason();
    }
    outcomes.merge(verb + " " + (actual == null ? "ok" : actual), 1, Integer::sum);
    assertThat(actual).as(verb).isEqualTo(reason);
    if (actual != null && !before.isEmpty()) {
      assertThat(log.rows()).as("rows after a refused " + verb).isEqualTo(before);
    }
    if (random.nextInt(10) == 0) {
      log.retryLast();
    }
    return value;
  }

  private Path path() {
    Node base = random.nextInt(5) == 0 ? anyNode() : model.root;
    List<String> path = new ArrayList<>();
    int depth = random.nextInt(40) == 0 ? 0 : 1 + random.nextInt(3);
    for (int i = 0; i < depth; i++) {
      boolean odd = random.nextInt(60) == 0;
      path.add(odd ? pick(ODD) : pick(NAMES));
    }
    return new Path(base, path);
  }

  private String pick(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }

  private Node anyNode() {
    int recent = Math.min(60, model.all.size());
    return model.all.get(model.all.size() - 1 - random.nextInt(recent));
  }

  private void compareAll() {
    model.all.removeIf(node -> node.gone);
    compareDirectory(model.root);
    Set<Long> orphans =
        model.orphans().stream().map(node -> node.inode).collect(Collectors.toSet());
    assertThat(names.orphansAfter(0).join().inodes()).isEqualTo(orphans);
    for (Node node : model.orphans()) {
      compareNode(node);
    }
    long bytes =
        model.all.stream()
            .filter(node -> node.type == FileType.REGULAR)
            .mapToLong(node -> node.size)
            .sum();
    assertThat(names.usage().join()).isEqualTo(new Names.Usage(model.all.size(), bytes));
    log.compareReplicas();
  }

  private void compareDirectory(Node directory) {
    compareNode(directory);
    List<Dentry> listed = new ArrayList<>();
    List<Dentry> page;
    do {
      byte[] after = listed.isEmpty() ? new byte[0] : listed.getLast().name();
      page = names.list(directory.inode, after, 2).join();
      listed.addAll(page);
    } while (page.size() == 2);
    List<String> expected = List.copyOf(directory.children.keySet());
    assertThat(listed).extracting(entry -> text(entry.name())).isEqualTo(expected);
    for (int i = 0; i < listed.size(); i++) {
      Node child = directory.children.get(expected.get(i));
      assertThat(listed.get(i).attributes()).isEqualTo(model.attributes(child));
      if (child.type == FileType.DIRECTORY) {
        compareDirectory(child);
      } else {
        compareNode(child);
      }
    }
  }

  private void compareNode(Node node) {
    Location at = Location.of(node.inode);
    assertThat(names.lookup(at).join()).isEqualTo(model.attributes(node));
    List<String> xattrs =
        names.listXattrs(at).join().stream().map(NamespaceModelTest::text).toList();
    assertThat(xattrs).isEqualTo(List.copyOf(node.xattrs.keySet()));
    node.xattrs.forEach(
        (name, value) ->
            assertThat(names.getXattr(at, bytes(name)).join()).isEqualTo(bytes(value)));
  }

  private static String text(byte[] name) {
    return new String(name, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public long wallNanos() {
    return now;
  }
}
