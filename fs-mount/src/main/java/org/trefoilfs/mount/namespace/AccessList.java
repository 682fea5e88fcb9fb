package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.trefoilfs.replication.Reason;

/**
 * A POSIX access control list, as acl(5) has it and fs/posix_acl.c of Linux applies it. As an
 * extended attribute (linux/posix_acl_xattr.h), little-endian:
 *
 * <pre>
 *  0            4       6            8      12
 *  +------------+-------+------------+------+----
 *  | version 2  | tag   | permission | id   | ...
 *  +------------+-------+------------+------+----
 * </pre>
 *
 * @param entries in the order of their tags, of which user, group and mask may be missing
 */
record AccessList(List<Entry> entries) {
  private static final byte[] ACCESS = bytes("system.posix_acl_access");
  private static final byte[] DEFAULT = bytes("system.posix_acl_default");

  private static final int VERSION = 2;
  private static final int ENTRY_BYTES = 8;
  private static final int NO_ID = -1;

  private static final int USER_OBJECT = 0x01;
  private static final int USER = 0x02;
  private static final int GROUP_OBJECT = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  /** Read, write, execute. */
  private static final int ALL = 7;

  /**
   * @param id of a named user or group, else -1
   */
  record Entry(int tag, int permissions, int id) {
    Entry with(int other) {
      return new Entry(tag, other, id);
    }
  }

  AccessList {
    entries = List.copyOf(entries);
  }

  /** The attribute that holds the list by which a file is accessed. */
  static byte[] accessName() {
    return ACCESS.clone();
  }

  /** The attribute of a directory that holds what is made in it is given. */
  static byte[] defaultName() {
    return DEFAULT.clone();
  }

  static boolean isAccess(byte[] name) {
    return Arrays.equals(ACCESS, name);
  }

  static boolean isDefault(byte[] name) {
    return Arrays.equals(DEFAULT, name);
  }

  /** Refuses with INVALID what the kernel's posix_acl_valid does; an empty list is none. */
  static AccessList parse(byte[] value) {
    Refusal.when(
        value.length < Integer.BYTES || (value.length - Integer.BYTES) % ENTRY_BYTES != 0,
        Reason.INVALID);
    ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    Refusal.when(in.getInt() != VERSION, Reason.NOT_SUPPORTED);
    List<Entry> entries = new ArrayList<>();
    while (in.hasRemaining()) {
      int tag = in.getShort() & 0xffff;
      int permissions = in.getShort() & 0xffff;
      int id = in.getInt();
      entries.add(new Entry(tag, permissions, tag == USER || tag == GROUP ? id : NO_ID));
    }
    AccessList list = new AccessList(entries);
    Refusal.when(!entries.isEmpty() && !list.isValid(), Reason.INVALID);
    return list;
  }

  private boolean isValid() {
    int before = 0;
    int seen = 0;
    for (Entry entry : entries) {
      boolean named = entry.tag() == USER || entry.tag() == GROUP;
      boolean known = Integer.bitCount(entry.tag()) == 1 && entry.tag() <= OTHER;
      boolean inOrder = named ? entry.tag() >= before : entry.tag() > before;
      if (!known || !inOrder || (entry.permissions() & ~ALL) != 0) {
        return false;
      }
      before = entry.tag();
      seen |= entry.tag();
    }
    int always = USER_OBJECT | GROUP_OBJECT | OTHER;
    boolean needsMask = (seen & (USER | GROUP)) != 0;
    return (seen & always) == always && (!needsMask || (seen & MASK) != 0);
  }

  byte[] toXattr() {
    ByteBuffer out =
        ByteBuffer.allocate(Integer.BYTES + entries.size() * ENTRY_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(VERSION);
    for (Entry entry : entries) {
      out.putShort((short) entry.tag()).putShort((short) entry.permissions()).putInt(entry.id());
    }
    return out.array();
  }

  /** Whether the permission bits of a mode say all that it says. */
  boolean isMode() {
    return entries.stream()
        .allMatch(
            entry ->
                entry.tag() == USER_OBJECT || entry.tag() == GROUP_OBJECT || entry.tag() == OTHER);
  }

  /** The mode with the permissions that the list gives: those of the group are the mask's. */
  int mode(int mode) {
    int permissions =
        permissions(USER_OBJECT) << 6 | permissions(groupClass()) << 3 | permissions(OTHER);
    return (mode & ~0777) | permissions;
  }

  /** After chmod(2) to this mode. */
  AccessList chmod(int mode) {
    return replaced(mode, false);
  }

  /** What a file gets that is made with this mode, which {@link #mode} then gives as well. */
  AccessList created(int mode) {
    return replaced(mode, true);
  }

  private AccessList replaced(int mode, boolean narrowed) {
    int group = groupClass();
    List<Entry> changed = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      int wanted = entry.permissions();
      if (entry.tag() == USER_OBJECT) {
        wanted = mode >> 6 & ALL;
      } else if (entry.tag() == group) {
        wanted = mode >> 3 & ALL;
      } else if (entry.tag() == OTHER) {
        wanted = mode & ALL;
      }
      changed.add(entry.with(narrowed ? wanted & entry.permissions() : wanted));
    }
    return new AccessList(changed);
  }

  /** The entry that a mode's group bits stand for. */
  private int groupClass() {
    return entries.stream().anyMatch(entry -> entry.tag() == MASK) ? MASK : GROUP_OBJECT;
  }

  private int permissions(int tag) {
    return entries.stream()
        .filter(entry -> entry.tag() == tag)
        .mapToInt(Entry::permissions)
        .findFirst()
        .orElse(0);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
