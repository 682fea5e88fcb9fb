package org.trefoilfs.tools.support;

import java.nio.file.Path;
import java.util.Map;
import org.trefoilfs.tools.admin.Json;
import tools.jackson.databind.JsonNode;

/** Asks a volume plugin as an engine does, by curl(1). */
public final class PluginClient {
  private final Path socket;

  public PluginClient(Path socket) {
    this.socket = socket;
  }

  /** An answer: its status, and its JSON. */
  public record Answer(int status, JsonNode body) {
    public String error() {
      return body.path("Err").asString();
    }
  }

  /**
   * @param verb such as {@code VolumeDriver.Mount}
   */
  public Answer ask(String verb, Map<String, ?> argument) {
    return send("POST", verb, new String(Json.bytes(argument)));
  }

  public Answer ask(String verb, String name) {
    return ask(verb, Map.of("Name", name));
  }

  public Answer send(String method, String verb, String body) {
    String[] printed =
        Commands.run(
                "curl",
                "--silent",
                "--show-error",
                "--max-time",
                "120",
                "--unix-socket",
                socket.toString(),
                "--request",
                method,
                "--data-binary",
                body,
                "--write-out",
                "\n%{http_code}",
                "http://plugin/" + verb)
            .split("\n(?=[0-9]+$)");
    JsonNode answer = Json.read(printed[0].getBytes(), JsonNode.class);
    return new Answer(Integer.parseInt(printed[1]), answer);
  }
}
