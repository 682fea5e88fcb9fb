package org.trefoilfs.replication.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.chunk.ChunkFixture.PG;
import static org.trefoilfs.replication.chunk.ChunkFixture.bytes;
import static org.trefoilfs.replication.chunk.ChunkFixture.file;
import static org.trefoilfs.replication.chunk.ChunkFixture.flip;
import static org.trefoilfs.replication.chunk.ChunkFixture.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;

class StoreCheckTest {
  @TempDir Path directory;

  @Test
  void storesWithTheSameChunksHaveTheSameDigest() {
    CheckReport up = check(fill("up", List.of(1, 2, 3, 4)));
    CheckReport down = check(fill("down", List.of(4, 3, 2, 1)));
    assertThat(up).isEqualTo(down);
    assertThat(up.chunks()).isEqualTo(8);
    assertThat(up.bytes()).isEqualTo(8 * 2 * 4096);
    assertThat(up.digestOfGroup()).containsOnlyKeys(PG, PG + 1);
    CheckReport less = check(fill("less", List.of(1, 2, 3)));
    assertThat(less.digest()).isNotEqualTo(up.digest());
  }

  @Test
  void everyKindOfDamageIsFoundAndNamed() throws IOException {
    Path root = fill("store", List.of(1, 2, 3, 4));
    flip(file(root, new ChunkId(1, 0)), 100);
    flip(file(root, new ChunkId(2, 0)), ChunkMeta.OFFSET + 4000);
    flip(file(root, new ChunkId(3, 0)), 3 << 20);
    Files.move(file(root, new ChunkId(4, 0)), file(root, new ChunkId(5, 0)));
    Files.writeString(file(root, new ChunkId(1, 0)).resolveSibling("notes.txt"), "?");
    List<String> lines = new ArrayList<>();
    CheckReport report = StoreCheck.check(root, lines::add);
    assertThat(report.damaged()).isEqualTo(5);
    assertThat(lines).hasSize(5);
    assertThat(lines).anyMatch(line -> line.contains("1-0") && line.contains("block 0"));
    assertThat(lines).anyMatch(line -> line.contains("2-0") && line.contains("header"));
    assertThat(lines).anyMatch(line -> line.contains("3-0") && line.contains("block 768"));
    assertThat(lines).anyMatch(line -> line.contains("5-0"));
    assertThat(lines).anyMatch(line -> line.contains("notes.txt"));
  }

  private static CheckReport check(Path root) {
    return StoreCheck.check(root, line -> assertThat(line).isNull());
  }

  private Path fill(String name, List<Integer> inodes) {
    Path root = directory.resolve(name);
    try (FileChunkStore store = FileChunkStore.open(root)) {
      for (int inode : inodes) {
        Mutation write = write(new ChunkId(inode, 0), 100, bytes(inode, 5000));
        store.apply(PG, write, new Version(1, inode), Redo.FIRST);
        store.apply(PG + 1, write, new Version(1, inode), Redo.FIRST);
      }
    }
    return root;
  }
}
