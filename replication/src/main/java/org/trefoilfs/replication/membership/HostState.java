package org.trefoilfs.replication.membership;

/** A host as the state log records it. */
public enum HostState {
  JOINING,
  UP,
  DOWN,
  LEAVING
}
