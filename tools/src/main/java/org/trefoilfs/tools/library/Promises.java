package org.trefoilfs.tools.library;

import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.spool.SpoolLimits;

/**
 * What a volume promises.
 *
 * @param minInSync replicas that must be in sync for writes; 0: as usual, or as it is
 * @param rpo what a mounting host may lose of what is committed asynchronously
 */
public record Promises(int minInSync, CommitMode commit, SpoolLimits rpo) {}
