package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.commit.CommitMode;

/**
 * A volume. {@code id} is never reused; a deleted volume stays listed, unnamed to users, until its
 * files are gone.
 */
public record VolumeInfo(int id, String name, int replicas, CommitMode commit, boolean deleted) {}
