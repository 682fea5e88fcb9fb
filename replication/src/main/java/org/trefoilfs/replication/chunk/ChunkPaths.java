package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.trefoilfs.replication.placement.Pools;

/** Where chunks lie: {@code ROOT/POOL/GROUP/INODE-INDEX}, group and inode in hexadecimal. */
record ChunkPaths(Path root) {
  /** Where whole chunks are made before they replace one. */
  private static final String TEMPORARY = "tmp";

  private static final Pattern POOL = Pattern.compile("[1-9][0-9]{0,4}");
  private static final Pattern GROUP = Pattern.compile("[0-9a-f]{4}");
  private static final Pattern CHUNK = Pattern.compile("([0-9a-f]{1,16})-([0-9]{1,10})");

  Path temporary() {
    return root.resolve(TEMPORARY);
  }

  Path pool(int pg) {
    return root.resolve(Integer.toString(Pools.pool(pg)));
  }

  Path group(int pg) {
    return pool(pg).resolve(HexFormat.of().toHexDigits((short) Pools.number(pg)));
  }

  Path chunk(int pg, ChunkId id) {
    return group(pg).resolve(id.toString());
  }

  List<Integer> groups() throws IOException {
    List<Integer> groups = new ArrayList<>();
    for (Path pool : children(root)) {
      if (!POOL.matcher(name(pool)).matches()) {
        continue;
      }
      for (Path group : children(pool)) {
        if (GROUP.matcher(name(group)).matches()) {
          groups.add(Integer.parseInt(name(pool)) << 16 | Integer.parseInt(name(group), 16));
        }
      }
    }
    groups.sort(Integer::compare);
    return groups;
  }

  /** Names of a group's files that are chunks, in order. */
  List<ChunkId> chunks(int pg) throws IOException {
    List<ChunkId> ids = new ArrayList<>();
    for (Path file : children(group(pg))) {
      parse(name(file)).ifPresent(ids::add);
    }
    ids.sort(ChunkId::compareTo);
    return ids;
  }

  static Optional<ChunkId> parse(String name) {
    Matcher matcher = CHUNK.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long index = Long.parseLong(matcher.group(2));
    ChunkId id = new ChunkId(Long.parseUnsignedLong(matcher.group(1), 16), (int) index);
    return id.toString().equals(name) ? Optional.of(id) : Optional.empty();
  }

  /** Empty when the directory does not exist. */
  static List<Path> children(Path directory) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(children::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    return children;
  }

  static String name(Path path) {
    return String.valueOf(path.getFileName());
  }
}
