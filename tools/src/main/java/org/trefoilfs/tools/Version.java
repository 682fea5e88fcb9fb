package org.trefoilfs.tools;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** Of this program. */
public final class Version {
  private static final String TEXT = read();

  private Version() {}

  /** As the build has it, or {@code unknown} in one that says nothing. */
  public static String text() {
    return TEXT;
  }

  private static String read() {
    Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException unreadable) {
      return "unknown";
    }
    return properties.getProperty("version", "unknown");
  }
}
