package org.trefoilfs.tools.admin;

import tools.jackson.databind.JsonNode;

/** What a daemon can do, behind its wire. */
@FunctionalInterface
public interface DaemonService {
  /**
   * Does it, and answers; may block. Failures are {@code TrefoilException}; INVALID for a verb or
   * an argument that makes no sense.
   */
  JsonNode handle(Verb verb, JsonNode argument);
}
