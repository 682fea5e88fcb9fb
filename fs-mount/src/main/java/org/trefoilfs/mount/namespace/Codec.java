package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** How the parts that commands, queries and replies share are written. */
final class Codec {
  private static final int MODE = 1;
  private static final int UID = 2;
  private static final int GID = 4;
  private static final int SIZE = 8;
  private static final int ATIME = 16;
  private static final int MTIME = 32;
  private static final int ALL = 63;

  private Codec() {}

  static void write(ByteWriter out, Location at) {
    out.i64(at.base()).i32(at.names().size());
    at.names().forEach(out::blob);
  }

  static Location location(ByteReader in) {
    long base = in.i64();
    int count = in.count(4);
    if (count > Limits.DEPTH) {
      throw malformed("location of " + count + " names");
    }
    return new Location(base, many(in, count, ByteReader::blob));
  }

  static void write(ByteWriter out, Attributes a) {
    out.i64(a.inode()).i32(a.mode()).i32(a.nlink()).i32(a.uid()).i32(a.gid());
    out.i64(a.rdev()).i64(a.size()).i64(a.atime()).i64(a.mtime()).i64(a.ctime());
    out.u8(a.commit().code()).i64(a.allocated()).i64(a.holder());
    write(out, a.writers());
  }

  static void write(ByteWriter out, Writers writers) {
    out.i64(writers.version()).i32(writers.sessions().size());
    writers.sessions().forEach(out::i64);
  }

  static Writers writers(ByteReader in) {
    return new Writers(in.i64(), many(in, in.count(Long.BYTES), ByteReader::i64));
  }

  static Attributes attributes(ByteReader in) {
    return new Attributes(
        in.i64(),
        in.i32(),
        in.i32(),
        in.i32(),
        in.i32(),
        in.i64(),
        in.i64(),
        in.i64(),
        in.i64(),
        in.i64(),
        CommitRule.ofCode(in.u8()),
        in.i64(),
        in.i64(),
        writers(in));
  }

  static void write(ByteWriter out, NewInode inode) {
    out.i32(inode.mode()).i32(inode.umask()).i32(inode.uid()).i32(inode.gid());
    out.i64(inode.rdev()).blob(inode.target());
  }

  static NewInode newInode(ByteReader in) {
    return new NewInode(in.i32(), in.i32(), in.i32(), in.i32(), in.i64(), in.blob());
  }

  /** As it was written before there was a umask in it. */
  static NewInode oldNewInode(ByteReader in) {
    return new NewInode(in.i32(), in.i32(), in.i32(), in.i64(), in.blob());
  }

  static void write(ByteWriter out, AttributeChange change) {
    OptionalLong atime = change.times().atime();
    OptionalLong mtime = change.times().mtime();
    out.u8(
        (change.mode().isPresent() ? MODE : 0)
            | (change.uid().isPresent() ? UID : 0)
            | (change.gid().isPresent() ? GID : 0)
            | (change.size().isPresent() ? SIZE : 0)
            | (atime.isPresent() ? ATIME : 0)
            | (mtime.isPresent() ? MTIME : 0));
    change.mode().ifPresent(out::i32);
    change.uid().ifPresent(out::i32);
    change.gid().ifPresent(out::i32);
    change.size().ifPresent(out::i64);
    atime.ifPresent(out::i64);
    mtime.ifPresent(out::i64);
  }

  static AttributeChange change(ByteReader in) {
    int present = in.u8();
    if ((present & ~ALL) != 0) {
      throw malformed("unknown attributes in change " + present);
    }
    return new AttributeChange(
        optionalInt(in, (present & MODE) != 0),
        optionalInt(in, (present & UID) != 0),
        optionalInt(in, (present & GID) != 0),
        optionalLong(in, (present & SIZE) != 0),
        new AttributeChange.Times(
            optionalLong(in, (present & ATIME) != 0), optionalLong(in, (present & MTIME) != 0)));
  }

  static void writeNumbers(ByteWriter out, List<Long> numbers) {
    out.i32(numbers.size());
    numbers.forEach(out::i64);
  }

  static List<Long> numbers(ByteReader in) {
    int count = in.count(8);
    if (count > Limits.BATCH) {
      throw malformed("batch of " + count);
    }
    return many(in, count, ByteReader::i64);
  }

  static <T> List<T> many(ByteReader in, int count, Function<ByteReader, T> read) {
    List<T> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(read.apply(in));
    }
    return values;
  }

  static int code(Names.RenameMode mode) {
    return switch (mode) {
      case REPLACE -> 0;
      case NO_REPLACE -> 1;
      case EXCHANGE -> 2;
    };
  }

  static Names.RenameMode renameMode(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> Names.RenameMode.REPLACE;
      case 1 -> Names.RenameMode.NO_REPLACE;
      case 2 -> Names.RenameMode.EXCHANGE;
      default -> throw malformed("unknown mode of rename " + code);
    };
  }

  static int code(Names.XattrMode mode) {
    return switch (mode) {
      case CREATE_OR_REPLACE -> 0;
      case CREATE -> 1;
      case REPLACE -> 2;
    };
  }

  static Names.XattrMode xattrMode(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> Names.XattrMode.CREATE_OR_REPLACE;
      case 1 -> Names.XattrMode.CREATE;
      case 2 -> Names.XattrMode.REPLACE;
      default -> throw malformed("unknown mode of setting an attribute " + code);
    };
  }

  static int code(Names.Privileges privileges) {
    return switch (privileges) {
      case KEEP -> 0;
      case CLEAR_SET_ID -> 1;
    };
  }

  static Names.Privileges privileges(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> Names.Privileges.KEEP;
      case 1 -> Names.Privileges.CLEAR_SET_ID;
      default -> throw malformed("unknown handling of set-id bits " + code);
    };
  }

  static void end(ByteReader in) {
    if (in.hasRemaining()) {
      throw malformed(in.remaining() + " bytes too many");
    }
  }

  static TrefoilException malformed(String what) {
    return new TrefoilException(Reason.INVALID, "malformed namespace message: " + what);
  }

  private static OptionalInt optionalInt(ByteReader in, boolean present) {
    return present ? OptionalInt.of(in.i32()) : OptionalInt.empty();
  }

  private static OptionalLong optionalLong(ByteReader in, boolean present) {
    return present ? OptionalLong.of(in.i64()) : OptionalLong.empty();
  }
}
