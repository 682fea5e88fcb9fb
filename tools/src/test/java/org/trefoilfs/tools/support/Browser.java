package org.trefoilfs.tools.support;

import java.nio.file.Path;

/** A real browser without a window: Debian's chromium. */
public final class Browser {
  /** Of the page's own time: it has looked at its host a few times then. */
  private static final String PATIENCE_MILLIS = "7000";

  private final Path profile;

  /**
   * @param profile a directory of its own
   */
  public Browser(Path profile) {
    this.profile = profile;
  }

  /** The page as its script has made it. */
  public String dom(String url) {
    return run("--dump-dom", url);
  }

  public void screenshot(String url, Path png) {
    run("--screenshot=" + png, url);
  }

  private String run(String what, String url) {
    return Commands.run(
        "timeout",
        "-k",
        "5",
        "90",
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--no-first-run",
        "--user-data-dir=" + profile,
        "--window-size=1120,1000",
        "--virtual-time-budget=" + PATIENCE_MILLIS,
        what,
        url);
  }
}
