package org.trefoilfs.tools.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.Messages.VolumeName;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.library.AdminChannel;
import org.trefoilfs.tools.library.TrefoilLibrary;
import org.trefoilfs.tools.support.StubHost;

/** Verbs and failures across real sockets. */
class AdminWireTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private StubHost host;
  private AdminChannel channel;

  @BeforeEach
  void connect() {
    DaemonService service =
        (verb, argument) ->
            switch (verb) {
              case WHERE -> Json.tree(new Messages.Nothing());
              case VOLUME_DELETE ->
                  throw new TrefoilException(
                      Reason.NOT_FOUND,
                      "volume " + Json.convert(argument, VolumeName.class).name() + ": gone");
              case FSCK -> throw new IllegalStateException("defect");
              default -> argument;
            };
    HostOptions options =
        new HostOptions(
            Path.of("unused"),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            HostOptions.Settings.DEFAULT);
    host = new StubHost(options, new AdminEndpoint(service));
    // The first address is dead: the second is asked.
    Address dead = new Address("127.0.0.1", Ports.free(1, 23_000).getFirst());
    channel = new TrefoilLibrary().connect(List.of(dead, host.identity().address()), TIMEOUT);
  }

  @AfterEach
  void close() {
    channel.close();
    host.close();
  }

  private String call(String verb, String body) {
    byte[] reply = channel.call(verb, body.getBytes(StandardCharsets.UTF_8), TIMEOUT);
    return new String(reply, StandardCharsets.UTF_8).replaceAll("\\s", "");
  }

  @Test
  void answersComeFromTheFirstHostThatLives() {
    assertThat(channel.peer()).isEqualTo(host.identity().address());
    assertThat(call("volume-set", "{\"name\": \"größe\"}")).isEqualTo("{\"name\":\"größe\"}");
  }

  @Test
  void reasonAndSentenceOfAFailureCross() {
    assertFailure(
        "volume-delete", "{\"name\":\"w\",\"later\":1}", Reason.NOT_FOUND, "volume w: gone");
    assertFailure("fsck", "{}", Reason.INTERNAL, "defect");
  }

  @Test
  void whatMakesNoSenseIsInvalid() {
    assertFailure("volume-eat", "{}", Reason.INVALID, "'volume-eat': unknown verb");
    assertFailure("status", "{not json", Reason.INVALID, "not the JSON expected");
    assertFailure("volume-delete", "[1]", Reason.INVALID, "not the JSON expected");
  }

  private void assertFailure(String verb, String body, Reason reason, String message) {
    assertThatThrownBy(() -> call(verb, body))
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(message);
  }

  @Test
  void nobodyAtAllIsUnavailable() {
    Address dead = new Address("127.0.0.1", Ports.free(1, 24_000).getFirst());
    assertThatThrownBy(() -> new TrefoilLibrary().connect(List.of(dead), TIMEOUT))
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE));
  }
}
