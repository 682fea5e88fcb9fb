package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.status.StatusBuilder;

/**
 * What volumes hold, for those who must not wait for it: without a majority of the state log's
 * voters nobody can say, and whoever asks all the same waits for half a minute.
 */
final class VolumeCounts {
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final VolumeVerbs volumes;

  /** However often a status is wanted meanwhile, one question for a volume is under way. */
  private final Map<Integer, CompletableFuture<VolumeUsage>> asked = new ConcurrentHashMap<>();

  VolumeCounts(VolumeVerbs volumes) {
    this.volumes = volumes;
  }

  /**
   * By number; unknown of those that nobody answers for in time, all of which are asked at once.
   */
  Map<Integer, VolumeUsage> of(List<VolumeInfo> wanted) {
    Map<Integer, CompletableFuture<VolumeUsage>> answers = new HashMap<>();
    for (VolumeInfo volume : wanted) {
      if (!volume.deleted()) {
        answers.put(
            volume.id(),
            ask(volume)
                .copy()
                .completeOnTimeout(
                    StatusBuilder.UNKNOWN, PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
      }
    }
    Map<Integer, VolumeUsage> known = new HashMap<>();
    answers.forEach((id, answer) -> known.put(id, answer.join()));
    return known;
  }

  private CompletableFuture<VolumeUsage> ask(VolumeInfo volume) {
    CompletableFuture<VolumeUsage> question = new CompletableFuture<>();
    CompletableFuture<VolumeUsage> earlier = asked.putIfAbsent(volume.id(), question);
    if (earlier != null) {
      return earlier;
    }
    Thread.ofVirtual()
        .name("count " + volume.name())
        .start(
            () -> {
              try {
                question.complete(volumes.usage(volume));
              } finally {
                asked.remove(volume.id());
                question.complete(StatusBuilder.UNKNOWN);
              }
            });
    return question;
  }
}
