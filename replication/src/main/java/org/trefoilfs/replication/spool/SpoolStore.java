package org.trefoilfs.replication.spool;

/** Where a spool outlives its process. Calls come one at a time. */
public interface SpoolStore extends AutoCloseable {
  /** Keeps nothing: the spool dies with the process, as the page cache of a local disk would. */
  SpoolStore MEMORY =
      new SpoolStore() {
        @Override
        public void append(SpooledWrite write) {}

        @Override
        public void shipped(long number) {}

        @Override
        public void close() {}
      };

  /**
   * On return the write outlives the process, not a loss of power.
   *
   * @throws org.trefoilfs.replication.TrefoilException NO_SPACE, and nothing was kept; IO
   */
  void append(SpooledWrite write);

  /** The replicas hold everything up to this number. */
  void shipped(long number);

  @Override
  void close();
}
