package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;

/** Where requests come from and replies go; in earnest an open /dev/fuse. */
interface Device {
  /** Waits for a request; its length in bytes, or minus errno. ENODEV: the mount is gone. */
  int read(RequestBuffer into);

  /**
   * Answers the request {@code unique}: 0, or the errno that kept the answer from being taken, such
   * as ENOENT when the caller is gone. Any number of threads at a time.
   *
   * @param error a positive errno, or 0 for success
   * @param body what comes after the header; its position stays
   */
  int reply(long unique, int error, ByteBuffer body);

  /**
   * Has the kernel give out again what it has given out and was not answered, before anything else:
   * 0, or errno.
   */
  int resend();

  /**
   * Has the kernel forget what it remembers of a name, or of an inode's attributes: 0, or errno,
   * such as ENOENT when it remembers nothing. May wait for calls in that directory.
   */
  int notify(int code, ByteBuffer body);

  /** Nothing is answered any more: another process will. */
  void silence();

  /** No call may be under way or follow. */
  void close();
}
