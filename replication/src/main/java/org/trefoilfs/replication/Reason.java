package org.trefoilfs.replication;

/**
 * Why an operation failed. The one neutral vocabulary of errors: each reason belongs to one errno
 * (mapped in fs-mount) and travels on the wire by its {@link #code}.
 */
public enum Reason {
  /** The request itself makes no sense: wrong argument, unknown verb. */
  INVALID(1),
  NOT_FOUND(2),
  EXISTS(3),
  NOT_EMPTY(4),
  NOT_DIRECTORY(5),
  IS_DIRECTORY(6),
  NO_SPACE(7),
  NAME_TOO_LONG(8),
  TOO_LARGE(9),
  NO_ATTRIBUTE(10),
  NOT_SUPPORTED(11),
  NOT_PERMITTED(12),
  ACCESS_DENIED(13),
  BUSY(14),
  STALE(15),
  TOO_MANY_LINKS(16),
  CROSS_DEVICE(17),
  /**
   * No replica, leader or majority could be reached within the configured time. Nothing was done.
   */
  UNAVAILABLE(18),
  /**
   * The request may or may not have taken effect. Never to be reported as success, nor as "not
   * written".
   */
  OUTCOME_UNKNOWN(19),
  /** Stored bytes do not match their checksum and no replica had better ones. */
  CORRUPT(20),
  /** The local disk failed. */
  IO(21),
  /**
   * Sent to a host that does not lead, or is not primary; ask the one named in the reply, or look
   * again.
   */
  NOT_LEADER(22),
  /** The sender's view or map epoch is older than the receiver's. */
  STALE_VIEW(23),
  /**
   * The peer speaks another protocol version, belongs to another cluster, or is of an unknown host.
   */
  REFUSED(24),
  /** A defect of this program. */
  INTERNAL(25),
  /** Somebody else has a lock that conflicts, and the caller did not want to wait. */
  WOULD_BLOCK(26),
  /** To wait for the lock would be to wait for oneself. */
  DEADLOCK(27),
  /** More locks than are kept. */
  NO_LOCKS(28),
  /** A signal ended the wait. */
  INTERRUPTED(29);

  private final int code;

  Reason(int code) {
    this.code = code;
  }

  /** Stable number on the wire and in the state log; never reused. */
  public int code() {
    return code;
  }

  /** The reason with this code; {@link #INTERNAL} for one that a newer peer may have added. */
  public static Reason ofCode(int code) {
    for (Reason reason : values()) {
      if (reason.code == code) {
        return reason;
      }
    }
    return INTERNAL;
  }
}
