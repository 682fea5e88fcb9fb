package org.trefoilfs.tools.library;

import java.time.Duration;
import org.trefoilfs.replication.membership.Address;

/** A line to one daemon's administration. */
public interface AdminChannel extends AutoCloseable {
  /** The daemon at the other end. */
  Address peer();

  /** Sends a verb with its JSON argument, and waits for the JSON answer. */
  byte[] call(String verb, byte[] body, Duration timeout);

  @Override
  void close();
}
