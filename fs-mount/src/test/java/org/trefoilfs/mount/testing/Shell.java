package org.trefoilfs.mount.testing;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Runs what Java has no call for. */
public final class Shell {
  private Shell() {}

  /** What the script printed, and its exit code. */
  public record Result(int exit, String text) {
    public Result succeeds() {
      if (exit != 0) {
        throw new AssertionError("exit " + exit + ": " + text);
      }
      return this;
    }
  }

  /** Runs a bash script in the directory; standard error is in the text. */
  public static Result run(Path directory, String script) throws Exception {
    File out = File.createTempFile("shell", ".out");
    try {
      Process process =
          new ProcessBuilder("bash", "-c", script)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(out)
              .start();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("hangs: " + script);
      }
      byte[] text = java.nio.file.Files.readAllBytes(out.toPath());
      return new Result(process.exitValue(), new String(text, StandardCharsets.ISO_8859_1).strip());
    } finally {
      out.delete();
    }
  }
}
