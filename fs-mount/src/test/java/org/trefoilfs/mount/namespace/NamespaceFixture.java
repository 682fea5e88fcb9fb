package org.trefoilfs.mount.namespace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** A namespace on an in-memory log, with a clock that the test moves. */
final class NamespaceFixture implements TimeSource {
  static final int VOLUME = 7;
  static final long SESSION = 41;

  final InMemoryStateLog log = new InMemoryStateLog(new NamespaceModule());
  long now = 1_000;
  final StateLogNames names = StateLogNames.open(log, VOLUME, SESSION, this).join();
  final long root = names.root();

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public long wallNanos() {
    return now;
  }

  Location at(String path) {
    return Location.ofPath(root, path.getBytes(UTF_8));
  }

  Attributes file(String path) {
    return make(path, FileType.REGULAR, 0644, "");
  }

  Attributes directory(String path) {
    return make(path, FileType.DIRECTORY, 0755, "");
  }

  Attributes symlink(String path, String target) {
    return make(path, FileType.SYMBOLIC_LINK, 0777, target);
  }

  Attributes make(String path, FileType type, int permissions, String target) {
    NewInode inode = new NewInode(type.bits() | permissions, 10, 20, 0, target.getBytes(UTF_8));
    return names.create(at(path), inode).join();
  }

  void rename(String from, String to) {
    names.rename(at(from), at(to), Names.RenameMode.REPLACE).join();
  }

  Attributes lookup(String path) {
    return names.lookup(at(path)).join();
  }

  List<String> list(long directory) {
    List<String> found = new ArrayList<>();
    for (Dentry entry : names.list(directory, new byte[0], 100).join()) {
      found.add(new String(entry.name(), UTF_8));
    }
    return found;
  }

  String dump() {
    return log.state(NamespaceModule.ID).dump();
  }

  Reply submit(Command command) {
    return Reply.of(log.submit(NamespaceModule.ID, command.toBytes()).join());
  }

  Reply query(Query query) {
    return Reply.of(log.query(NamespaceModule.ID, query.toBytes()).join());
  }

  /** The reason why it fails; fails the test when it does not. */
  static Reason reasonOf(CompletableFuture<?> future) {
    try {
      Object value = future.join();
      throw new AssertionError("succeeded with " + value);
    } catch (CompletionException failed) {
      assertThat(failed).hasCauseInstanceOf(TrefoilException.class);
      return TrefoilException.of(failed).reason();
    }
  }
}
