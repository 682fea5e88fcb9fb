package org.trefoilfs.replication.transport;

/** The version of this program as its jar states it. */
final class Software {
  static final String VERSION = version();

  private Software() {}

  private static String version() {
    String stated = Software.class.getPackage().getImplementationVersion();
    return stated == null ? "development" : stated;
  }
}
