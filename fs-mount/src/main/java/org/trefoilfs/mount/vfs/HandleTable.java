package org.trefoilfs.mount.vfs;

import java.util.List;

/**
 * Where the numbers of open files, and how far directories were read, are noted so that they
 * outlive this process: what the kernel has open can be asked of nobody else. Called by many
 * threads, on the way of each open and close.
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

        @Override
        public void locked(long handle, LockMark mark) {}

        @Override
        public List<Open> leftLocked() {
          return List.of();
        }

        @Override
        public void read(long directory, Place upTo) {}

        @Override
        public List<Place> places(long directory) {
          return List.of();
        }

        @Override
        public void closedDirectory(long directory) {}
      };

  /**
   * An open file.
   *
   * @param request of the kernel's, that opened it
   */
  record Open(long handle, long inode, long request) {}

  /**
   * Where the reading of an open directory has come to: names are numbered as they are handed out.
   *
   * @param position how many were
   * @param name the last of them
   */
  record Place(long position, byte[] name) {}

  /** Numbers up to this one were given by earlier daemons. */
  long before();

  /** What earlier daemons left open. */
  List<Open> left();

  void opened(Open file);

  void closed(long handle);

  /** Whether an open file may have locks. */
  enum LockMark {
    NONE,
    SOME
  }

  void locked(long handle, LockMark mark);

  /** Those of {@link #left} that may have locks. */
  List<Open> leftLocked();

  /** An answer goes so far, which the kernel may not get. */
  void read(long directory, Place upTo);

  /** How far the latest answers went, in no order; none if there were too many directories. */
  List<Place> places(long directory);

  void closedDirectory(long directory);
}
