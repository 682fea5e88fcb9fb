package org.trefoilfs.replication.placement;

import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * How a group was last opened after all of its in-sync members had stopped at once: with what the
 * fullest of their journals still held. Whoever wrote before learns from it whether a write that
 * was not flushed is gone, as an NFS client does from the server's write verifier (RFC 1813, 3.3.7
 * and 4.8).
 *
 * @param view that it was opened in; 0: this has never happened
 * @param last write that was found
 * @param before the view of the opening before this one; 0: there was none
 */
public record Reopened(long view, Version last, long before) {
  public static final Reopened NEVER = new Reopened(0, Version.NONE, 0);

  /** This has happened again. */
  Reopened then(long nextView, Version found) {
    return new Reopened(nextView, found, view);
  }

  /**
   * Whether a write that was committed as this version may be gone. Of two openings since then only
   * the last is known here, so it may be said of a write that is still there.
   *
   * <p>Views and numbers never decrease along a group's log, and a journal loses its end: so a
   * write is there if and only if what was found last is of its view or a later one, and is not
   * numbered below it.
   */
  public boolean mayHaveLost(Version written) {
    boolean kept = written.view() <= last.view() && written.n() <= last.n();
    return written.view() < view && (written.view() < before || !kept);
  }

  void writeTo(ByteWriter out) {
    out.bool(view > 0);
    if (view > 0) {
      last.writeTo(out.i64(view).i64(before));
    }
  }

  static Reopened readFrom(ByteReader in) {
    if (!in.bool()) {
      return NEVER;
    }
    long view = in.i64();
    long before = in.i64();
    return new Reopened(view, Version.readFrom(in), before);
  }
}
