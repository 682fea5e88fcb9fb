package org.trefoilfs.tools.docker;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.docker.PluginMessages.Activated;
import org.trefoilfs.tools.docker.PluginMessages.Argument;
import org.trefoilfs.tools.docker.PluginMessages.Capabilities;
import org.trefoilfs.tools.docker.PluginMessages.Capable;
import org.trefoilfs.tools.docker.PluginMessages.Done;
import org.trefoilfs.tools.docker.PluginMessages.Found;
import org.trefoilfs.tools.docker.PluginMessages.Listed;
import org.trefoilfs.tools.docker.PluginMessages.MountedAt;
import org.trefoilfs.tools.http.HttpHandler;

/**
 * Requests of an engine, by their paths. What fails is answered with status 500 and {@code Err},
 * which the engine shows to the user after the verb.
 */
final class VolumePlugin implements HttpHandler {
  private static final String TYPE = "application/vnd.docker.plugins.v1.1+json";
  private static final String OK = "";
  private static final Logger LOG = LoggerFactory.getLogger(VolumePlugin.class);

  private final Supplier<VolumeDriver> driver;

  /**
   * @param driver may block until there is one, and fail when there is none
   */
  VolumePlugin(Supplier<VolumeDriver> driver) {
    this.driver = driver;
  }

  @Override
  public Response handle(Request request) {
    Optional<PluginVerb> verb = PluginVerb.ofPath(request.path());
    if (verb.isEmpty()) {
      return failed(404, request.path() + ": not a verb of volume plugins of version 1");
    }
    if (!request.method().equals("POST")) {
      return failed(405, request.path() + ": asked by POST, not by " + request.method());
    }
    try {
      Object answer = answer(verb.get(), argument(request.body()));
      LOG.debug("{}: {}", request.path(), answer);
      return new Response(200, TYPE, Json.bytes(answer));
    } catch (RuntimeException e) {
      TrefoilException known = TrefoilException.of(e);
      if (known.reason() == Reason.INTERNAL) {
        LOG.error("{} failed", request.path(), e);
      } else {
        LOG.info("{} failed: {}", request.path(), known.getMessage());
      }
      int status = known.reason() == Reason.INVALID ? 400 : 500;
      return failed(status, inOptionsOfDocker(String.valueOf(known.getMessage())));
    }
  }

  private static Response failed(int status, String why) {
    return new Response(status, TYPE, Json.bytes(new Done(why)));
  }

  /** Remedies are the command line's, which has two dashes and a space. */
  static String inOptionsOfDocker(String message) {
    return message.replaceAll("--(replicas|min-in-sync|commit|rpo|rpo-bytes) ", "-o $1=");
  }

  /** The engine sends nothing, {@code null} or an empty object where there is nothing to say. */
  private static Argument argument(byte[] body) {
    if (new String(body, StandardCharsets.UTF_8).isBlank()) {
      return Argument.NONE;
    }
    return Optional.ofNullable(Json.read(body, Argument.class)).orElse(Argument.NONE);
  }

  private Object answer(PluginVerb verb, Argument argument) {
    return switch (verb) {
      case ACTIVATE -> new Activated(List.of("VolumeDriver"));
      case CAPABILITIES -> new Capable(new Capabilities("global"));
      case CREATE -> create(argument);
      case REMOVE -> remove(argument);
      case MOUNT -> mount(argument);
      case UNMOUNT -> unmount(argument);
      case PATH -> new MountedAt(driver.get().path(name(argument)), OK);
      case GET -> new Found(driver.get().get(name(argument)), OK);
      case LIST -> new Listed(driver.get().list(), OK);
    };
  }

  private Done create(Argument argument) {
    Map<String, String> options = Optional.ofNullable(argument.options()).orElse(Map.of());
    driver.get().create(name(argument), options);
    return new Done(OK);
  }

  private Done remove(Argument argument) {
    driver.get().remove(name(argument));
    return new Done(OK);
  }

  private MountedAt mount(Argument argument) {
    return new MountedAt(driver.get().mount(name(argument), id(argument)).toString(), OK);
  }

  private Done unmount(Argument argument) {
    driver.get().unmount(name(argument), id(argument));
    return new Done(OK);
  }

  private static String name(Argument argument) {
    return given("Name", argument.name());
  }

  private static String id(Argument argument) {
    return given("ID", argument.id());
  }

  private static String given(String field, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      throw new TrefoilException(Reason.INVALID, "the request has no " + field);
    }
    return value;
  }
}
