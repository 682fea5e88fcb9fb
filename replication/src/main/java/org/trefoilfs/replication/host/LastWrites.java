package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.transport.Message;

/** Asks the members of closed groups for the last write that each of them holds. */
final class LastWrites {
  private LastWrites() {}

  /**
   * Never fails: a host that cannot be reached, or does not answer within {@code patience}, is
   * missing in what comes back.
   *
   * @param toAsk groups by the host to be asked for them
   * @return by group, the last write by host
   */
  static CompletableFuture<Map<Integer, Map<HostId, Version>>> ask(
      Peers peers, Map<HostId, List<Integer>> toAsk, Duration patience) {
    Map<Integer, Map<HostId, Version>> reports = new ConcurrentHashMap<>();
    CompletableFuture<?>[] answers =
        toAsk.entrySet().stream()
            .map(
                each ->
                    peers
                        .call(each.getKey(), new Message.AskGroups(each.getValue()), patience)
                        .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
                        .thenAccept(answer -> note(each.getKey(), answer, reports))
                        .exceptionally(_ -> null))
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(answers).thenApply(_ -> reports);
  }

  private static void note(
      HostId host, Message answer, Map<Integer, Map<HostId, Version>> reports) {
    if (answer instanceof Message.GroupReports(Map<Integer, Message.Commit> lastOfGroup)) {
      lastOfGroup.forEach(
          (pg, last) ->
              reports
                  .computeIfAbsent(pg, _ -> new ConcurrentHashMap<>())
                  .put(host, new Version(last.view(), last.n())));
    }
  }
}
