package org.trefoilfs.replication.transport;

/**
 * Who this side of a connection is.
 *
 * @param clusterId empty for a newcomer, a mount that has not asked yet, or a command line
 * @param hostId 0 for a client
 * @param incarnation of the host's daemon; 0 for a client
 */
public record LocalIdentity(String clusterId, int hostId, long incarnation) {
  public static final LocalIdentity CLIENT = new LocalIdentity("", 0, 0);
}
