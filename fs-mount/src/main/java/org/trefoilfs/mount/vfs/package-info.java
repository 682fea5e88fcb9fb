/**
 * What each POSIX call means; the only place that decides.
 *
 * <p>A call comes to {@link org.trefoilfs.mount.vfs.Vfs}, which asks the namespace, and for bytes
 * goes through {@code FileData}: data before size. {@code WriteReports} tells the namespace of
 * writes, {@code OpenInode} keeps truncation and writes apart, {@code OrphanKeeper} keeps alive
 * what is open without a name.
 *
 * <p>Where this differs from a local disk, until leases exist:
 *
 * <ul>
 *   <li>two mounts that append at the same instant can meet at one offset; one after the other they
 *       do not;
 *   <li>a truncation at one mount and a write at another at the same instant can leave bytes behind
 *       the end of the file, which explicit growing, but not a write past a gap, makes zero;
 *   <li>the modification time of a write in place reaches other mounts within 100 ms and a commit;
 *       size and content at once;
 *   <li>fcntl and flock locks hold within one mount; {@code st_blocks} counts holes; reading leaves
 *       the access time; fallocate reserves nothing; POSIX ACLs are refused.
 * </ul>
 */
@NullMarked
package org.trefoilfs.mount.vfs;

import org.jspecify.annotations.NullMarked;
