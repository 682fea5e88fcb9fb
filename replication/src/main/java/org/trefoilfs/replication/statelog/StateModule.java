package org.trefoilfs.replication.statelog;

/**
 * A deterministic state machine on the log. Several share one log and one store, each under its own
 * {@link #id}, which prefixes its keys unseen. No clock, randomness or I/O: what a command needs of
 * them comes inside it.
 */
public interface StateModule {
  /** Names the module's keys and commands; stored, never reused. */
  byte id();

  /**
   * Applies a committed command. Called by one thread, in log order, on every host alike. A {@code
   * TrefoilException} is a regular, deterministic reply: it undoes this command's changes and
   * reaches whoever submitted it.
   */
  byte[] apply(KeyValue state, byte[] command);

  /**
   * Called after a command's changes took effect, on the applying thread; for in-memory mirrors and
   * listeners.
   */
  default void applied(KeyValueReader state) {}

  /** Answers a query from a consistent state. Called by many threads, beside {@link #apply}. */
  byte[] query(KeyValueReader state, byte[] query);

  /** The state has been opened, or replaced by a snapshot: rebuild what is kept in memory. */
  default void restored(KeyValueReader state) {}
}
