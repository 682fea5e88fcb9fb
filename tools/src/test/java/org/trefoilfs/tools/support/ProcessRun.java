package org.trefoilfs.tools.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A small system command that was run to its end. */
public record ProcessRun(int status, String output) {
  private static final int NOT_STARTED = 127;

  public static ProcessRun of(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return new ProcessRun(process.waitFor(), output);
    } catch (IOException e) {
      return new ProcessRun(NOT_STARTED, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new ProcessRun(NOT_STARTED, "interrupted");
    }
  }

  public boolean failed() {
    return status != 0;
  }
}
