package org.trefoilfs.replication.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Disk;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.membership.OperationId;

/** Journals in a directory, and what a replay of one gives. */
final class JournalFixture {
  static final int SEGMENT = 16 << 10;

  private JournalFixture() {}

  static JournalOptions options() {
    return new JournalOptions(SEGMENT, 2, new Random(7)::nextLong);
  }

  /** What a replay gave. */
  record Replayed(List<JournalRecord> records, List<Long> positions, ReplayReport report) {
    List<Long> numbers() {
      return records.stream().map(r -> ((JournalRecord.Prepared) r).n()).toList();
    }
  }

  /** Where no test pulls the power plug, a forced write only takes time. */
  static final Disk UNFORCED =
      new Disk() {
        @Override
        public void force(FileChannel file) {}

        @Override
        public void forceDirectory(Path names) {}
      };

  static Replayed replay(Path directory) throws IOException {
    List<JournalRecord> records = new ArrayList<>();
    List<Long> positions = new ArrayList<>();
    try (SegmentedJournal journal =
        SegmentedJournal.open(
            directory,
            options(),
            (record, position) -> {
              records.add(record);
              positions.add(position);
            },
            UNFORCED)) {
      return new Replayed(records, positions, journal.replayReport());
    }
  }

  static SegmentedJournal open(Path directory) {
    return SegmentedJournal.open(directory, options(), (record, position) -> {}, UNFORCED);
  }

  /** A write of {@code bytes} that no other number has. */
  static JournalRecord.Prepared prepared(long n, int bytes) {
    byte[] data = new byte[bytes];
    new Random(n).nextBytes(data);
    Mutation write = new Mutation.Write(new ChunkId(n, 3), 17, ByteBuffer.wrap(data));
    return new JournalRecord.Prepared(5, 2, n, n - 1, new OperationId(9, n), write);
  }

  static Path copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  static List<Path> segments(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.getFileName().toString().startsWith("segment")).sorted().toList();
    }
  }
}
