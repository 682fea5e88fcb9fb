package org.trefoilfs.tools.library;

import java.util.List;

/**
 * What a check of one host's chunk store found.
 *
 * @param groups placement groups stored here
 * @param bytes allocated bytes read and compared with their checksums
 * @param digest hash over every chunk's name and content: equal on two hosts that hold the same
 *     chunks with the same bytes
 * @param problems one sentence each; empty when all is well
 */
public record FsckResult(
    int groups, long chunks, long bytes, String digest, List<String> problems) {
  public FsckResult {
    problems = List.copyOf(problems);
  }
}
