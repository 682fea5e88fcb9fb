package org.trefoilfs.tools.daemon;

/** A process that was started and ended early: its own last words, and its exit status. */
public final class StartFailed extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final int status;

  StartFailed(String words, int status) {
    super(words);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
