package org.trefoilfs.replication.host;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.transport.Message;

/** What this host has heard of the cluster's mounts: all of them tell all hosts. Thread-safe. */
final class MountReports {
  private final TimeSource time;
  private final Map<Long, Heard> heard = new ConcurrentHashMap<>();

  private record Heard(Message.SessionPing ping, long nanos) {}

  MountReports(TimeSource time) {
    this.time = time;
  }

  void pinged(Message.SessionPing ping) {
    heard.put(ping.session(), new Heard(ping, time.nanoTime()));
  }

  /** Forgets mounts that are gone. */
  void keep(Set<Long> sessions) {
    heard.keySet().retainAll(sessions);
  }

  Message.@Nullable SessionPing last(long session) {
    Heard last = heard.get(session);
    return last == null ? null : last.ping();
  }

  Map<Long, MountReport> all() {
    Map<Long, MountReport> all = new TreeMap<>();
    long now = time.nanoTime();
    heard.forEach(
        (session, last) ->
            all.put(
                session,
                new MountReport(
                    session, now - last.nanos(), last.ping().window(), last.ping().ranges())));
    return all;
  }
}
