package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;

/**
 * Keys of the namespace's rows. Numbers are big-endian, so that byte order is numeric order.
 *
 * <pre>
 *  key                                         value
 *  'c' counter(1)                              last number given out: inodes (1), orphans (2)
 *  'v' volume(4)                               root, usage, how far it has been reaped
 *  'i' volume(4) inode(8)                      attributes, parent, orphan sequence, target
 *  'd' parent(8) name                          inode(8) type(1)
 *  'x' inode(8) name                           value
 *  'o' sequence(8)                             volume(4) inode(8)
 *  'p' inode(8) session(8)                     empty: the session holds the inode open
 *  's' session(8) inode(8)                     empty: the same pin, found from the session
 *  'a' inode(8)                                session(8) that has the inode's append lease
 *  'l' session(8) inode(8)                     empty: the session has a lease of the inode
 *  'q' session(8) inode(8)                     empty: somebody wants its leases to end
 *  'k' inode(8)                                its locks, and who waits for them
 *  'h' session(8) inode(8)                     empty: the session is in that row
 *  'b' session(8) ticket(8)                    inode(8) owner(8): a POSIX lock waited for, or
 *                                              inode(8): a flock
 *  'n' session(8) session(8)                   empty: the first has what the second held
 *  'f' session(8)                              empty: the session is over, nothing of it is applied
 *  'w' session(8) volume(4)                    oldest operation(8) that may still be retried
 *  'r' session(8) volume(4) sequence(8)        the reply that the operation got: KeptReply
 *  'e'                                         ended sessions(8 each) of which replies are kept
 * </pre>
 *
 * An inode's number belongs to one volume for ever, so only the inode row names the volume: a
 * number that strayed from another volume finds no row there.
 */
final class Keys {
  /** Where the name begins in a dentry's or an extended attribute's key. */
  static final int NAME_AT = 9;

  private static final byte INODES = 1;
  private static final byte ORPHANS = 2;

  private Keys() {}

  static byte[] lastInode() {
    return new byte[] {'c', INODES};
  }

  static byte[] lastOrphan() {
    return new byte[] {'c', ORPHANS};
  }

  static byte[] volume(int volume) {
    return of('v', 4).putInt(volume).array();
  }

  static byte[] inodes(int volume) {
    return of('i', 4).putInt(volume).array();
  }

  static byte[] inode(int volume, long inode) {
    return of('i', 12).putInt(volume).putLong(inode).array();
  }

  static long inodeIn(byte[] key) {
    return ByteBuffer.wrap(key).getLong(5);
  }

  static byte[] dentries(long parent) {
    return of('d', 8).putLong(parent).array();
  }

  static byte[] dentry(long parent, byte[] name) {
    return of('d', 8 + name.length).putLong(parent).put(name).array();
  }

  static byte[] xattrs(long inode) {
    return of('x', 8).putLong(inode).array();
  }

  static byte[] xattr(long inode, byte[] name) {
    return of('x', 8 + name.length).putLong(inode).put(name).array();
  }

  /** The name at the end of a dentry's or an extended attribute's key. */
  static byte[] nameIn(byte[] key) {
    return java.util.Arrays.copyOfRange(key, NAME_AT, key.length);
  }

  /** The directory that a dentry's key begins with. */
  static long parentIn(byte[] dentry) {
    return ByteBuffer.wrap(dentry).getLong(1);
  }

  static byte[] orphans() {
    return new byte[] {'o'};
  }

  static byte[] orphan(long sequence) {
    return of('o', 8).putLong(sequence).array();
  }

  static long sequenceIn(byte[] key) {
    return ByteBuffer.wrap(key).getLong(key.length - 8);
  }

  static byte[] pins(long inode) {
    return of('p', 8).putLong(inode).array();
  }

  static byte[] pin(long inode, long session) {
    return of('p', 16).putLong(inode).putLong(session).array();
  }

  static byte[] pinsOfSession(long session) {
    return of('s', 8).putLong(session).array();
  }

  static byte[] pinOfSession(long session, long inode) {
    return of('s', 16).putLong(session).putLong(inode).array();
  }

  static byte[] appender(long inode) {
    return of('a', 8).putLong(inode).array();
  }

  static byte[] leasesOfSession(long session) {
    return of('l', 8).putLong(session).array();
  }

  static byte[] leaseOfSession(long session, long inode) {
    return of('l', 16).putLong(session).putLong(inode).array();
  }

  static byte[] recallsOfSession(long session) {
    return of('q', 8).putLong(session).array();
  }

  static byte[] recall(long session, long inode) {
    return of('q', 16).putLong(session).putLong(inode).array();
  }

  static byte[] locks(long inode) {
    return of('k', 8).putLong(inode).array();
  }

  static byte[] lockedBySession(long session) {
    return of('h', 8).putLong(session).array();
  }

  static byte[] lockedBySession(long session, long inode) {
    return of('h', 16).putLong(session).putLong(inode).array();
  }

  static byte[] lockWaits(long session) {
    return of('b', 8).putLong(session).array();
  }

  static byte[] lockWait(long session, long ticket) {
    return of('b', 16).putLong(session).putLong(ticket).array();
  }

  /** Windows of all sessions. */
  static byte[] windows() {
    return new byte[] {'w'};
  }

  /** The session that a window's key begins with. */
  static long sessionIn(byte[] key) {
    return ByteBuffer.wrap(key).getLong(1);
  }

  /** The second number of a key: a pin's session, or what a session pins, leases or waits for. */
  static long secondIn(byte[] key) {
    return ByteBuffer.wrap(key).getLong(9);
  }

  static byte[] predecessors(long session) {
    return of('n', 8).putLong(session).array();
  }

  static byte[] predecessor(long session, long earlier) {
    return of('n', 16).putLong(session).putLong(earlier).array();
  }

  static byte[] fence(long session) {
    return of('f', 8).putLong(session).array();
  }

  static byte[] windows(long session) {
    return of('w', 8).putLong(session).array();
  }

  static byte[] window(long session, int volume) {
    return of('w', 12).putLong(session).putInt(volume).array();
  }

  static int volumeInWindow(byte[] key) {
    return ByteBuffer.wrap(key).getInt(9);
  }

  static byte[] repliesOfSession(long session) {
    return of('r', 8).putLong(session).array();
  }

  static byte[] replies(long session, int volume) {
    return of('r', 12).putLong(session).putInt(volume).array();
  }

  static byte[] reply(long session, int volume, long sequence) {
    return of('r', 20).putLong(session).putInt(volume).putLong(sequence).array();
  }

  static byte[] endedSessions() {
    return new byte[] {'e'};
  }

  /** The first key after this one. */
  static byte[] after(byte[] key) {
    return java.util.Arrays.copyOf(key, key.length + 1);
  }

  private static ByteBuffer of(char kind, int length) {
    return ByteBuffer.allocate(1 + length).put((byte) kind);
  }
}
