package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.statelog.StateLog;

/** A state log whose commands are applied by two replicas of the namespace alike. */
final class Replicas implements StateLog {
  private final InMemoryStateLog first = new InMemoryStateLog(new NamespaceModule());
  private final InMemoryStateLog second = new InMemoryStateLog(new NamespaceModule());
  private byte @Nullable [] lastCommand;
  private byte @Nullable [] lastReply;

  @Override
  public CompletableFuture<byte[]> submit(byte module, byte[] command) {
    CompletableFuture<byte[]> reply = first.submit(module, command);
    assertThat(second.submit(module, command).join()).isEqualTo(reply.join());
    if (Command.of(command) instanceof Command.Operate) {
      lastCommand = command;
      lastReply = reply.join();
    }
    return reply;
  }

  @Override
  public CompletableFuture<byte[]> query(byte module, byte[] query) {
    return first.query(module, query);
  }

  /** Submits the last operation again: the reply must be the same, and nothing change. */
  void retryLast() {
    if (lastCommand == null) {
      return;
    }
    String before = dump(first);
    assertThat(first.submit(NamespaceModule.ID, lastCommand).join()).isEqualTo(lastReply);
    assertThat(dump(first)).isEqualTo(before);
  }

  void compareReplicas() {
    assertThat(new TreeAudit(first.state(NamespaceModule.ID)).problems()).isEmpty();
    assertThat(dump(second)).isEqualTo(dump(first));
  }

  /** All rows but those of the reply cache, which refused operations change too. */
  String rows() {
    return dump(first)
        .lines()
        .filter(line -> !line.startsWith("72") && !line.startsWith("77"))
        .collect(Collectors.joining("\n"));
  }

  private static String dump(InMemoryStateLog log) {
    return log.state(NamespaceModule.ID).dump();
  }
}
