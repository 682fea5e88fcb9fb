package org.trefoilfs.replication.host;

import java.util.concurrent.CompletableFuture;

/**
 * Serves the verbs of administration that this module does not know. Called on a virtual thread;
 * may block.
 */
@FunctionalInterface
public interface AdminHandler {
  CompletableFuture<byte[]> handle(String verb, byte[] body);
}
