package org.trefoilfs.mount.testing;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/** Chunks in the heap, sparse, each call atomic. */
public final class MemoryVolume implements Volume {
  private static final int PAGE = 64 << 10;
  private static final byte[] ZEROS = new byte[4096];

  private final ConcurrentMap<Long, TreeMap<Long, byte[]>> objects = new ConcurrentHashMap<>();

  @Override
  public CompletableFuture<ByteBuffer> read(long inode, long offset, int length) {
    TreeMap<Long, byte[]> pages = pages(inode);
    byte[] out = new byte[length];
    synchronized (pages) {
      for (int done = 0; done < length; ) {
        int within = (int) ((offset + done) % PAGE);
        int count = Math.min(PAGE - within, length - done);
        byte[] page = pages.get((offset + done) / PAGE);
        if (page != null) {
          System.arraycopy(page, within, out, done, count);
        }
        done += count;
      }
    }
    return CompletableFuture.completedFuture(ByteBuffer.wrap(out));
  }

  @Override
  public CompletableFuture<Void> write(long inode, long offset, ByteBuffer data) {
    TreeMap<Long, byte[]> pages = pages(inode);
    ByteBuffer in = data.duplicate();
    synchronized (pages) {
      for (long at = offset; in.hasRemaining(); ) {
        int within = (int) (at % PAGE);
        int count = Math.min(PAGE - within, in.remaining());
        in.get(pages.computeIfAbsent(at / PAGE, key -> new byte[PAGE]), within, count);
        at += count;
      }
    }
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<List<DataRange>> allocated(long inode, long offset, long length) {
    TreeMap<Long, byte[]> pages = pages(inode);
    List<DataRange> blocks = new ArrayList<>();
    synchronized (pages) {
      pages
          .subMap(offset / PAGE, (offset + length + PAGE - 1) / PAGE)
          .forEach(
              (number, page) -> {
                for (int at = 0; at < PAGE; at += ZEROS.length) {
                  if (!Arrays.equals(page, at, at + ZEROS.length, ZEROS, 0, ZEROS.length)) {
                    long start = number * PAGE + at;
                    DataRange block = new DataRange(start, start + ZEROS.length);
                    blocks.add(block.within(offset, offset + length));
                  }
                }
              });
    }
    return CompletableFuture.completedFuture(DataRange.union(blocks));
  }

  @Override
  public CompletableFuture<Void> punch(long inode, long offset, long length) {
    TreeMap<Long, byte[]> pages = pages(inode);
    long end = offset + length;
    synchronized (pages) {
      pages
          .subMap((offset + PAGE - 1) / PAGE, Math.max(end / PAGE, (offset + PAGE - 1) / PAGE))
          .clear();
      zero(pages, offset, Math.min(end, (offset / PAGE + 1) * PAGE));
      zero(pages, Math.max(offset, end / PAGE * PAGE), end);
    }
    return CompletableFuture.completedFuture(null);
  }

  private static void zero(TreeMap<Long, byte[]> pages, long from, long to) {
    byte[] page = pages.get(from / PAGE);
    if (page != null && to > from) {
      int start = (int) (from % PAGE);
      Arrays.fill(page, start, start + (int) (to - from), (byte) 0);
    }
  }

  @Override
  public CompletableFuture<Void> flush(long inode) {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<Void> delete(long inode, long size) {
    objects.remove(inode);
    return CompletableFuture.completedFuture(null);
  }

  private TreeMap<Long, byte[]> pages(long inode) {
    return objects.computeIfAbsent(inode, key -> new TreeMap<>());
  }
}
