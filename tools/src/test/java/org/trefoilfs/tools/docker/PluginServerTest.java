package org.trefoilfs.tools.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.PluginClient;

/** The plugin of a host that does not serve yet. */
final class PluginServerTest {
  @TempDir Path directory;

  @Test
  void hostThatDoesNotServeYetIsThePluginAndSaysWhatItWaitsFor() {
    Path socket = directory.resolve("trefoil.sock");
    try (PluginServer server = PluginServer.start(directory, socket, Duration.ofMillis(50))) {
      assertThat(server).isNotNull();
      PluginClient client = new PluginClient(socket);
      assertThat(client.send("POST", "Plugin.Activate", "").status()).isEqualTo(200);
      assertThat(client.send("POST", "VolumeDriver.Capabilities", "").status()).isEqualTo(200);
      for (String verb : new String[] {"Create", "Remove", "Path", "Get"}) {
        PluginClient.Answer answer = client.ask("VolumeDriver." + verb, "work");
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.error())
            .isEqualTo(
                "the host of %s is still starting: it needs a majority of the hosts; see %s, start the others, and try again"
                    .formatted(directory, directory.resolve("daemon.log")));
      }
    }
  }
}
