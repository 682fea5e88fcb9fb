package org.trefoilfs.mount.namespace;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** What the namespace answers to a {@link Command} or {@link Query}. */
public sealed interface Reply {
  /** A regular error: nothing was changed. */
  record Failed(Reason reason) implements Reply {}

  record Done() implements Reply {}

  record Found(Attributes attributes) implements Reply {}

  record Bytes(byte[] value) implements Reply {}

  record NameList(List<byte[]> names) implements Reply {}

  record Entries(List<Dentry> entries) implements Reply {}

  record UsageIs(Names.Usage usage) implements Reply {}

  record OrphansAre(Names.Orphans orphans) implements Reply {}

  /** The volume's root, and the number that the session's next operation takes. */
  record Root(long inode, long nextSequence) implements Reply {}

  /**
   * Orphans that nobody pins.
   *
   * @param next to look beyond next; 0 when the end was reached
   */
  record Reclaimable(List<Orphan> orphans, long next) implements Reply {}

  record Reclaimed(int count) implements Reply {}

  /**
   * A step of taking a deleted volume apart.
   *
   * @param removed rows removed by this step
   * @param left inodes of the volume that still exist, orphans among them; 0: wholly gone
   */
  record Reaped(int removed, long left) implements Reply {}

  /** Inodes, sessions or tickets; not all if there are more than {@link Limits#BATCH}. */
  record Numbers(List<Long> values) implements Reply {}

  record LockIs(LockStatus status) implements Reply {}

  /** A lock that is in the way, if any is. */
  record Blocker(Optional<HeldLock> lock) implements Reply {}

  record LocksAre(List<InheritedLock> locks) implements Reply {}

  /** What an earlier session's requests of the kernel's had been answered, in their order. */
  record TakenOver(List<Answer> answers) implements Reply {
    /** The bytes of a reply. */
    record Answer(long request, byte[] reply) {}
  }

  default byte[] toBytes() {
    ByteWriter out = new ByteWriter();
    switch (this) {
      case Failed(Reason reason) -> out.u8(1).i32(reason.code());
      case Done() -> out.u8(2);
      case Found(Attributes attributes) -> Codec.write(out.u8(3), attributes);
      case Bytes(byte[] value) -> out.u8(4).blob(value);
      case NameList(List<byte[]> names) -> {
        out.u8(5).i32(names.size());
        names.forEach(out::blob);
      }
      case Entries(List<Dentry> entries) -> {
        out.u8(6).i32(entries.size());
        for (Dentry entry : entries) {
          Codec.write(out.blob(entry.name()), entry.attributes());
        }
      }
      case UsageIs(Names.Usage(long inodes, long bytes)) -> out.u8(7).i64(inodes).i64(bytes);
      case OrphansAre(Names.Orphans orphans) ->
          Codec.writeNumbers(out.u8(8).i64(orphans.cursor()), List.copyOf(orphans.inodes()));
      case Root(long inode, long next) -> out.u8(9).i64(inode).i64(next);
      case Reclaimable(List<Orphan> orphans, long next) -> {
        out.u8(10).i64(next).i32(orphans.size());
        for (Orphan orphan : orphans) {
          out.i64(orphan.sequence()).i32(orphan.volume()).i64(orphan.inode()).i64(orphan.size());
        }
      }
      case Reclaimed(int count) -> out.u8(11).i32(count);
      case Reaped(int removed, long left) -> out.u8(12).i32(removed).i64(left);
      case Numbers(List<Long> values) -> Codec.writeNumbers(out.u8(13), values);
      case LockIs(LockStatus status) -> out.u8(14).u8(LockCodec.code(status));
      case Blocker(Optional<HeldLock> lock) -> {
        out.u8(15).bool(lock.isPresent());
        lock.ifPresent(found -> LockCodec.write(out, found));
      }
      case LocksAre(List<InheritedLock> locks) -> {
        out.u8(17).i32(locks.size());
        locks.forEach(one -> LockCodec.write(out.i64(one.inode()), one.lock()));
      }
      case TakenOver(List<TakenOver.Answer> answers) -> {
        out.u8(16).i32(answers.size());
        answers.forEach(answer -> out.i64(answer.request()).blob(answer.reply()));
      }
    }
    return out.toBytes();
  }

  static Reply of(byte[] bytes) {
    return read(new ByteReader(bytes));
  }

  /** Behind it {@link Changes} may follow. */
  static Reply read(ByteReader in) {
    int kind = in.u8();
    return switch (kind) {
      case 1 -> new Failed(Reason.ofCode(in.i32()));
      case 2 -> new Done();
      case 3 -> new Found(Codec.attributes(in));
      case 4 -> new Bytes(in.blob());
      case 5 -> new NameList(Codec.many(in, in.count(4), ByteReader::blob));
      case 6 ->
          new Entries(Codec.many(in, in.count(4), i -> new Dentry(i.blob(), Codec.attributes(i))));
      case 7 -> new UsageIs(new Names.Usage(in.i64(), in.i64()));
      case 8 -> orphans(in);
      case 9 -> new Root(in.i64(), in.i64());
      case 10 -> reclaimable(in);
      case 11 -> new Reclaimed(in.i32());
      case 12 -> new Reaped(in.i32(), in.i64());
      case 13 -> new Numbers(Codec.numbers(in));
      case 14 -> new LockIs(LockCodec.lockStatus(in));
      case 15 -> new Blocker(in.bool() ? Optional.of(LockCodec.heldLock(in)) : Optional.empty());
      case 17 ->
          new LocksAre(
              Codec.many(in, in.count(46), i -> new InheritedLock(i.i64(), LockCodec.heldLock(i))));
      case 16 ->
          new TakenOver(Codec.many(in, in.count(12), i -> new TakenOver.Answer(i.i64(), i.blob())));
      default -> throw Codec.malformed("unknown reply " + kind);
    };
  }

  private static Reply orphans(ByteReader in) {
    long cursor = in.i64();
    return new OrphansAre(new Names.Orphans(new HashSet<>(Codec.numbers(in)), cursor));
  }

  private static Reply reclaimable(ByteReader in) {
    long next = in.i64();
    List<Orphan> orphans =
        Codec.many(in, in.count(28), i -> new Orphan(i.i64(), i.i32(), i.i64(), i.i64()));
    return new Reclaimable(orphans, next);
  }
}
