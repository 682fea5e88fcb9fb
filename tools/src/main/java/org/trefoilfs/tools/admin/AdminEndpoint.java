package org.trefoilfs.tools.admin;

import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.library.Library;
import tools.jackson.databind.JsonNode;

/** Turns the bytes of an administrative message into a call of a {@link DaemonService}. */
public final class AdminEndpoint implements Library.AdminHandler {
  private static final Logger LOG = LoggerFactory.getLogger(AdminEndpoint.class);
  private final DaemonService service;

  public AdminEndpoint(DaemonService service) {
    this.service = service;
  }

  @Override
  public CompletableFuture<byte[]> handle(String verb, byte[] body) {
    try {
      JsonNode argument = Json.read(body, JsonNode.class);
      return CompletableFuture.completedFuture(
          Json.bytes(service.handle(Verb.ofWire(verb), argument)));
    } catch (RuntimeException e) {
      TrefoilException known = TrefoilException.of(e);
      if (known.reason() == Reason.INTERNAL) {
        LOG.error("{} failed", verb, e);
      }
      return CompletableFuture.failedFuture(known);
    }
  }
}
