package org.trefoilfs.tools.admin;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.StableFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The one JSON mapper, and small files that are replaced whole. */
public final class Json {
  /** Properties in the order of their records; unknown ones are a newer version's, and skipped. */
  public static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  /** Administrative messages and files are far smaller. */
  private static final int MAX_FILE_BYTES = 4 << 20;

  private Json() {}

  public static byte[] bytes(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  public static JsonNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }

  public static <T> T read(byte[] bytes, Class<T> type) {
    try {
      return MAPPER.readValue(bytes, type);
    } catch (JacksonException e) {
      throw malformed("message", e);
    }
  }

  public static <T> T convert(JsonNode node, Class<T> type) {
    try {
      return MAPPER.treeToValue(node, type);
    } catch (JacksonException e) {
      throw malformed("message", e);
    }
  }

  /** Reads a file; empty when there is none, also when it goes while it is looked for. */
  public static <T> Optional<T> load(Path file, Class<T> type) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
      if (bytes.length > MAX_FILE_BYTES) {
        throw new TrefoilException(
            Reason.CORRUPT,
            file + ": is longer than any that Trefoil writes; restore it, or move it away");
      }
      return Optional.of(MAPPER.readValue(bytes, type));
    } catch (JacksonException e) {
      throw malformed(file.toString(), e);
    } catch (NoSuchFileException none) {
      return Optional.empty();
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, file + ": cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }

  /** Replaces a file, see {@link StableFile}. */
  public static void store(Path file, Object value) {
    try {
      StableFile.replace(file, bytes(value));
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private static TrefoilException unwritable(Path file, IOException e) {
    return new TrefoilException(
        Reason.IO, file + ": cannot be written (" + e.getMessage() + "); check space and owner", e);
  }

  private static TrefoilException malformed(String what, JacksonException e) {
    return new TrefoilException(
        Reason.INVALID, what + ": not the JSON expected (" + e.getOriginalMessage() + ")", e);
  }
}
