package org.trefoilfs.replication.env;

/**
 * The randomness port: seeded in tests and simulation, {@link java.security.SecureRandom} in
 * production.
 */
@FunctionalInterface
public interface RandomSource {
  long nextLong();
}
