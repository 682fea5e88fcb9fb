package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * A registered host.
 *
 * @param address where it serves this program's protocol
 * @param raftAddress where its state log peer listens
 * @param witness votes in the state log and stores no chunks
 * @param weight relative share of placement groups; 1 is usual
 * @param domain failure domain: replicas go to distinct domains first; by default the host's own
 *     name
 * @param incarnation grows at every start of its daemon; 0 before the first
 * @param upSince epoch of the cluster at which it last came up; 0 before
 * @param leaving an operator takes it out of the cluster; outlives its being down, unlike {@link
 *     HostState#LEAVING}
 */
public record HostInfo(
    HostId id,
    String name,
    Address address,
    Address raftAddress,
    boolean witness,
    int weight,
    String domain,
    long incarnation,
    HostState state,
    long upSince,
    boolean leaving) {
  public HostInfo(
      HostId id,
      String name,
      Address address,
      Address raftAddress,
      boolean witness,
      int weight,
      String domain,
      long incarnation,
      HostState state) {
    this(
        id,
        name,
        address,
        raftAddress,
        witness,
        weight,
        domain,
        incarnation,
        state,
        0,
        state == HostState.LEAVING);
  }

  /** Whether its daemon runs, as far as the state log knows. */
  public boolean isAlive() {
    return state == HostState.UP || state == HostState.LEAVING;
  }

  HostInfo started(ClusterCommand.HostStarted start, long epoch) {
    boolean again = start.incarnation() != incarnation || !isAlive();
    HostState running = leaving ? HostState.LEAVING : HostState.UP;
    return new HostInfo(
        id,
        name,
        start.address(),
        start.raftAddress(),
        witness,
        weight,
        domain,
        start.incarnation(),
        running,
        again ? epoch : upSince,
        leaving);
  }

  HostInfo withState(HostState newState, boolean newLeaving) {
    return new HostInfo(
        id,
        name,
        address,
        raftAddress,
        witness,
        weight,
        domain,
        incarnation,
        newState,
        upSince,
        newLeaving);
  }

  public void writeTo(ByteWriter out) {
    id.writeTo(out);
    out.string(name);
    address.writeTo(out);
    raftAddress.writeTo(out);
    out.bool(witness).i32(weight).string(domain).i64(incarnation).u8(code(state));
    out.i64(upSince).bool(leaving);
  }

  public static HostInfo readFrom(ByteReader in) {
    return new HostInfo(
        HostId.readFrom(in),
        in.string(),
        Address.readFrom(in),
        Address.readFrom(in),
        in.bool(),
        in.i32(),
        in.string(),
        in.i64(),
        stateOf(in.u8()),
        in.i64(),
        in.bool());
  }

  static int code(HostState state) {
    return switch (state) {
      case JOINING -> 1;
      case UP -> 2;
      case DOWN -> 3;
      case LEAVING -> 4;
    };
  }

  static HostState stateOf(int code) {
    return switch (code) {
      case 1 -> HostState.JOINING;
      case 2 -> HostState.UP;
      case 3 -> HostState.DOWN;
      case 4 -> HostState.LEAVING;
      default -> throw new TrefoilException(Reason.INVALID, "unknown state of a host " + code);
    };
  }
}
