package org.trefoilfs.tools;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** What this program was built as. */
public final class Build {
  private static final String VERSION = read();

  private Build() {}

  /** {@code unknown} in a build that does not say it. */
  public static String version() {
    return VERSION;
  }

  private static String read() {
    Properties properties = new Properties();
    try (InputStream in = Build.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException unreadable) {
      return "unknown";
    }
    return properties.getProperty("version", "unknown");
  }
}
