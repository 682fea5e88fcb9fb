package org.trefoilfs.mount.vfs;

import java.util.List;

/**
 * Where the numbers of open files are noted so that they outlive this process: what the kernel has
 * open can be asked of nobody else. Called by many threads, on the way of each open and close.
 */
public interface HandleTable {
  /** Of a mount that ends with its process. */
  HandleTable NONE =
      new HandleTable() {
        @Override
        public long before() {
          return 0;
        }

        @Override
        public List<Open> left() {
          return List.of();
        }

        @Override
        public void opened(Open file) {}

        @Override
        public void closed(long handle) {}
      };

  /**
   * An open file.
   *
   * @param request of the kernel's, that opened it
   */
  record Open(long handle, long inode, long request) {}

  /** Numbers up to this one were given by earlier daemons. */
  long before();

  /** What earlier daemons left open. */
  List<Open> left();

  void opened(Open file);

  void closed(long handle);
}
