package org.trefoilfs.replication.host;

import java.util.List;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/**
 * What a mount last said of itself.
 *
 * @param ageNanos since it was heard
 * @param ranges what it would lose; not all if there are more than a ping carries
 */
public record MountReport(
    long session, long ageNanos, SpoolWindow window, List<SpooledRange> ranges) {}
