package org.trefoilfs.tools.http;

/** Answers requests; called on a thread of its own, which may block. */
@FunctionalInterface
public interface HttpHandler {
  Response handle(Request request);

  /**
   * @param path without the query
   */
  record Request(String method, String path, byte[] body) {}

  record Response(int status, String contentType, byte[] body) {}
}
