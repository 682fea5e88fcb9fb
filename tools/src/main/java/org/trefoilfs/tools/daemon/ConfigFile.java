package org.trefoilfs.tools.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads the configuration file of {@code host start}: a YAML mapping of {@link Key}s to scalars.
 */
public final class ConfigFile {
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private ConfigFile() {}

  /** NOT_FOUND when there is no such file, INVALID for what it should not contain. */
  public static HostConfig read(Path file) {
    JsonNode root = parse(file);
    if (root.isMissingNode() || root.isNull()) {
      return HostConfig.empty();
    }
    if (!root.isObject()) {
      throw invalid(file, "it is not a mapping; write one 'key: value' per line");
    }
    HostConfig config = HostConfig.empty();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      config = config.with(key(file, entry.getKey()), scalar(file, entry));
    }
    return config;
  }

  private static JsonNode parse(Path file) {
    try {
      return YAML.readTree(Files.readAllBytes(file));
    } catch (JacksonException e) {
      throw invalid(
          file,
          "line "
              + e.getLocation().getLineNr()
              + " is not valid YAML ("
              + firstLine(e.getOriginalMessage())
              + ")");
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.NOT_FOUND,
          file + ": configuration file cannot be read; check the path given to --config",
          e);
    }
  }

  private static Key key(Path file, String text) {
    return Key.ofText(text)
        .orElseThrow(() -> invalid(file, "unknown key '" + text + "'; the keys are " + Key.list()));
  }

  private static String scalar(Path file, Map.Entry<String, JsonNode> entry) {
    if (!entry.getValue().isValueNode() || entry.getValue().isNull()) {
      throw invalid(file, "key '" + entry.getKey() + "' needs a single value");
    }
    return entry.getValue().asString();
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static TrefoilException invalid(Path file, String message) {
    return new TrefoilException(Reason.INVALID, file + ": " + message);
  }
}
