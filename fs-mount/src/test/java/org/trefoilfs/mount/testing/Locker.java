package org.trefoilfs.mount.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A process that locks files as it is told: see {@code locker.pl}. */
public final class Locker implements AutoCloseable {
  private final Process process;
  private final PrintStream commands;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

  private Locker(Process process) {
    this.process = process;
    this.commands = new PrintStream(process.getOutputStream(), true, ISO_8859_1);
    Thread.ofPlatform().daemon().start(this::read);
  }

  public static Locker start() throws IOException {
    Path script = Files.createTempFile("locker", ".pl");
    try (InputStream in = Locker.class.getResourceAsStream("locker.pl")) {
      Files.copy(Objects.requireNonNull(in), script, StandardCopyOption.REPLACE_EXISTING);
    }
    script.toFile().deleteOnExit();
    return new Locker(
        new ProcessBuilder("perl", script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  private void read() {
    try (BufferedReader in = process.inputReader(ISO_8859_1)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        answers.add(line);
      }
    } catch (IOException e) {
      answers.add("gone: " + e.getMessage());
    }
  }

  /** Without the answer, which may take as long as the lock does. */
  public void send(String command) {
    commands.println(command);
  }

  public String answer() throws InterruptedException {
    return Objects.requireNonNullElse(answers.poll(20, TimeUnit.SECONDS), "no answer in 20 s");
  }

  public String call(String command) throws InterruptedException {
    send(command);
    return answer();
  }

  public boolean hasAnswer() {
    return !answers.isEmpty();
  }

  public long pid() {
    return process.pid();
  }

  /** A signal that only interrupts. */
  public void interrupt() throws Exception {
    Shell.run(Path.of("/"), "kill -USR1 " + pid()).succeeds();
  }

  /** SIGKILL; returns when it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      throw new AssertionError("process " + pid() + " cannot be killed");
    }
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}
