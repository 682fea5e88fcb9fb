package org.trefoilfs.tools.mount;

import java.util.Map;

/**
 * What a mount has done since it began to be served by this process.
 *
 * @param readBytes that programs were given
 * @param writtenBytes that were taken from them
 * @param inProgress calls that are not answered yet
 * @param calls by the name of the operation; those that nobody asked for are left out
 */
public record MountFigures(
    long readBytes, long writtenBytes, long inProgress, Map<String, Calls> calls) {
  /**
   * @param failures that were answered with an error, "no such file" included
   * @param seconds that all of them took together
   */
  public record Calls(long count, long failures, double seconds) {}
}
