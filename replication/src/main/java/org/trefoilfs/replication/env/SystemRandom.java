package org.trefoilfs.replication.env;

import java.security.SecureRandom;

/** The operating system's randomness. */
public enum SystemRandom implements RandomSource {
  INSTANCE;

  private final SecureRandom random = new SecureRandom();

  @Override
  public long nextLong() {
    return random.nextLong();
  }
}
