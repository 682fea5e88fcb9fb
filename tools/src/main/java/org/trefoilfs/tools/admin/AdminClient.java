package org.trefoilfs.tools.admin;

import java.time.Duration;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.library.AdminChannel;

/** Speaks verbs over a line to a daemon. */
public final class AdminClient implements AutoCloseable {
  private final AdminChannel channel;
  private final Duration timeout;

  public AdminClient(AdminChannel channel, Duration timeout) {
    this.channel = channel;
    this.timeout = timeout;
  }

  /** Asks, and waits for the answer at most as long as the client was made for. */
  public <T> T ask(Verb verb, Object argument, Class<T> answer) {
    return Json.read(channel.call(verb.wire(), Json.bytes(argument), timeout), answer);
  }

  public <T> T ask(Verb verb, Class<T> answer) {
    return ask(verb, new Messages.Nothing(), answer);
  }

  public Address peer() {
    return channel.peer();
  }

  @Override
  public void close() {
    channel.close();
  }
}
