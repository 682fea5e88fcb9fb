package org.trefoilfs.replication.chunk;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** A chunk's whole content at a version: its allocated extents, the rest being holes. */
public record ChunkImage(ChunkId id, Version version, List<Extent> extents) {
  public void writeTo(ByteWriter out) {
    id.writeTo(out);
    version.writeTo(out);
    out.i32(extents.size());
    for (Extent extent : extents) {
      out.i32(extent.offset()).blob(extent.data());
    }
  }

  public static ChunkImage readFrom(ByteReader in) {
    ChunkId id = ChunkId.readFrom(in);
    Version version = Version.readFrom(in);
    int count = in.count(8);
    List<Extent> extents = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      extents.add(new Extent(in.i32(), in.blobView()));
    }
    return new ChunkImage(id, version, extents);
  }

  public long bytes() {
    return extents.stream().mapToLong(extent -> extent.data().remaining()).sum();
  }
}
