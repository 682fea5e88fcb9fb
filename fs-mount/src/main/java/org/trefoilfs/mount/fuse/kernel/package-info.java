/**
 * FUSE by the kernel's own protocol on /dev/fuse (include/uapi/linux/fuse.h), through the foreign
 * function API; no library between. In the order of a request: KernelTransport mounts and
 * KernelSession shakes hands; its threads read frames from the Device; RequestFrame takes one
 * apart; KernelRequests finds the answer; ReplyEncoder lays it out; FuseDevice sends it.
 *
 * <p>Few platform threads read. They serve what they read while one of them is left to read; beyond
 * that each request runs on a virtual thread, so that one which waits for a replica or a lock holds
 * up no other. The bytes of a large WRITE stay in the memory into which the kernel has put them
 * until the write has returned.
 */
@NullMarked
package org.trefoilfs.mount.fuse.kernel;

import org.jspecify.annotations.NullMarked;
