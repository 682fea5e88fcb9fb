package org.trefoilfs.replication.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.HostId;

/**
 * A placement group as the state log records it (PacificA's configuration). A change is a
 * compare-and-set on {@code view}.
 *
 * @param pg pool and number, see {@link Pools}
 * @param view grows by one at each change
 * @param primary the member that orders writes; absent while the group is closed: after all members
 *     stopped at once it opens only when the complete in-sync set is back
 * @param inSync members that hold every committed write, each under the incarnation in which it
 *     does
 * @param joining hosts that receive live writes and are catching up
 * @param reopened how it was last opened after all members had stopped; kept by the state log,
 *     whatever a proposed view says of it
 */
public record PgView(
    int pg,
    long view,
    @Nullable HostId primary,
    List<Member> inSync,
    List<HostId> joining,
    Reopened reopened) {
  /**
   * An in-sync member: a restarted host has another incarnation, and is not the member that it was.
   */
  public record Member(HostId host, long incarnation) {
    public void writeTo(ByteWriter out) {
      host.writeTo(out);
      out.i64(incarnation);
    }

    public static Member readFrom(ByteReader in) {
      return new Member(HostId.readFrom(in), in.i64());
    }

    /** Bytes of an encoded one. */
    public static final int ENCODED_BYTES = 12;
  }

  public PgView {
    inSync = List.copyOf(inSync);
    joining = List.copyOf(joining);
  }

  /** Of a group that was never closed. */
  public PgView(
      int pg, long view, @Nullable HostId primary, List<Member> inSync, List<HostId> joining) {
    this(pg, view, primary, inSync, joining, Reopened.NEVER);
  }

  public boolean isOpen() {
    return primary != null;
  }

  public Optional<Member> member(HostId host) {
    return inSync.stream().filter(member -> member.host().equals(host)).findFirst();
  }

  public boolean isInSync(HostId host, long incarnation) {
    return inSync.contains(new Member(host, incarnation));
  }

  /** Whether the host is a member or catching up to be one. */
  public boolean holds(HostId host) {
    return joining.contains(host) || member(host).isPresent();
  }

  /** The group's next view. */
  public PgView next(
      @Nullable HostId nextPrimary, List<Member> nextInSync, List<HostId> nextJoining) {
    return new PgView(pg, view + 1, nextPrimary, nextInSync, nextJoining, reopened);
  }

  /** This view, which opens the group with what was found after all members had stopped. */
  public PgView openedWith(Version last) {
    return with(reopened.then(view, last));
  }

  public PgView with(Reopened other) {
    return new PgView(pg, view, primary, inSync, joining, other);
  }

  public void writeTo(ByteWriter out) {
    out.i32(pg).i64(view).i32(primary == null ? 0 : primary.value()).i32(inSync.size());
    inSync.forEach(member -> member.writeTo(out));
    out.i32(joining.size());
    joining.forEach(host -> host.writeTo(out));
    reopened.writeTo(out);
  }

  public static PgView readFrom(ByteReader in) {
    int pg = in.i32();
    long view = in.i64();
    int first = in.i32();
    HostId primary = first > 0 ? new HostId(first) : null;
    int members = in.count(Member.ENCODED_BYTES);
    List<Member> inSync = new ArrayList<>(members);
    for (int i = 0; i < members; i++) {
      inSync.add(Member.readFrom(in));
    }
    int joiners = in.count(4);
    List<HostId> joining = new ArrayList<>(joiners);
    for (int i = 0; i < joiners; i++) {
      joining.add(HostId.readFrom(in));
    }
    return new PgView(pg, view, primary, inSync, joining, Reopened.readFrom(in));
  }

  /** Bytes of the smallest encoded view. */
  public static final int MIN_ENCODED_BYTES = 25;
}
