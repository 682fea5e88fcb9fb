package org.trefoilfs.mount.vfs;

/** Who makes a call: the process' filesystem user and group. */
public record Caller(int uid, int gid) {
  public static final Caller ROOT = new Caller(0, 0);

  public boolean isRoot() {
    return uid == 0;
  }
}
