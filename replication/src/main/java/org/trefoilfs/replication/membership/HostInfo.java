package org.trefoilfs.replication.membership;

/**
 * A registered host.
 *
 * @param address where it serves this program's protocol
 * @param raftAddress where its state log peer listens
 * @param witness votes in the state log and stores no chunks
 * @param weight relative share of placement groups; 1 is usual
 * @param domain failure domain: replicas go to distinct domains first; by default the host's own
 *     name
 * @param incarnation changes at every start of its daemon; 0 before the first
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
    HostState state) {}
