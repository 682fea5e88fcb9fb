package org.trefoilfs.tools.recover;

import java.util.List;

/**
 * The answer to {@code recover-history}: what operators have accepted, the oldest first.
 *
 * @param losses as the state log has them
 */
public record LossHistory(List<Entry> losses) {
  public record Entry(Line choice, List<Opened> groups) {}

  /**
   * A choice in a line.
   *
   * @param time ISO 8601, UTC, by the clock of the host that was asked
   * @param missing names of the hosts that were given up
   * @param groups how many were opened
   */
  public record Line(String id, String time, String operator, List<String> missing, int groups) {}

  /**
   * @param from the host that held the last write
   */
  public record Opened(int replicas, int number, String from) {}
}
