package org.trefoilfs.mount.fuse;

import java.util.Locale;

/** The requests of the FUSE protocol that are answered here. */
public enum Operation {
  LOOKUP,
  GETATTR,
  SETATTR,
  READLINK,
  MKNOD,
  MKDIR,
  UNLINK,
  RMDIR,
  SYMLINK,
  RENAME,
  LINK,
  OPEN,
  CREATE,
  READ,
  WRITE,
  FLUSH,
  RELEASE,
  FSYNC,
  FALLOCATE,
  LSEEK,
  COPY_FILE_RANGE,
  OPENDIR,
  READDIR,
  RELEASEDIR,
  FSYNCDIR,
  STATFS,
  SETXATTR,
  GETXATTR,
  LISTXATTR,
  REMOVEXATTR,
  GETLK,
  SETLK,
  SETLKW;

  /** As it is shown in status and metrics. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
