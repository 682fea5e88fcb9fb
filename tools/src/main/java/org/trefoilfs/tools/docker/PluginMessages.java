package org.trefoilfs.tools.docker;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Arguments and answers as the engine writes them. */
final class PluginMessages {
  private PluginMessages() {}

  /**
   * What any verb is asked with; each uses its part.
   *
   * @param options as after {@code -o}
   * @param id of one use of the volume by one container
   */
  record Argument(
      @JsonProperty("Name") @Nullable String name,
      @JsonProperty("Opts") @Nullable Map<String, String> options,
      @JsonProperty("ID") @Nullable String id) {
    static final Argument NONE = new Argument(null, null, null);
  }

  record Activated(@JsonProperty("Implements") List<String> interfaces) {}

  /** {@code Err} is empty when all went well. */
  record Done(@JsonProperty("Err") String error) {}

  /** An empty mount point: not mounted on this machine. */
  record MountedAt(
      @JsonProperty("Mountpoint") String mountPoint, @JsonProperty("Err") String error) {}

  record Capable(@JsonProperty("Capabilities") Capabilities capabilities) {}

  record Capabilities(@JsonProperty("Scope") String scope) {}

  record Found(@JsonProperty("Volume") Volume volume, @JsonProperty("Err") String error) {}

  record Listed(@JsonProperty("Volumes") List<Volume> volumes, @JsonProperty("Err") String error) {}

  /**
   * @param status shown by {@code docker volume inspect}
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Volume(
      @JsonProperty("Name") String name,
      @JsonProperty("Mountpoint") String mountPoint,
      @JsonProperty("Status") @Nullable Map<String, Object> status) {}
}
