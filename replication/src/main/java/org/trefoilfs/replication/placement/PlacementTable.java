package org.trefoilfs.replication.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The table as arrays, one pair per pool: the groups' views, and the epoch at which each last
 * changed, so that the difference from an older epoch is a scan of longs. An update copies the
 * arrays of the pools that it touches (64 KiB at 2^12 groups) and shares the others.
 */
public final class PlacementTable implements PlacementMap {
  private final long epoch;
  private final int bits;
  private final SortedMap<Integer, Pool> pools;

  private static final class Pool {
    final @Nullable PgView[] views;
    final long[] changed;

    Pool(@Nullable PgView[] views, long[] changed) {
      this.views = views;
      this.changed = changed;
    }

    Pool copy() {
      return new Pool(views.clone(), changed.clone());
    }
  }

  private PlacementTable(long epoch, int bits, SortedMap<Integer, Pool> pools) {
    this.epoch = epoch;
    this.bits = bits;
    this.pools = pools;
  }

  /** A table without groups. */
  public static PlacementTable empty(long epoch, int bits) {
    if (bits < 0 || bits > Pools.MAX_BITS) {
      throw new IllegalArgumentException("2^" + bits + " groups in a pool");
    }
    return new PlacementTable(epoch, bits, new TreeMap<>());
  }

  /** This table at a later epoch, with these groups changed; a group of a new pool creates it. */
  public PlacementTable with(Collection<PgView> changes, long newEpoch) {
    Builder builder = new Builder(this);
    changes.forEach(view -> builder.put(view, newEpoch));
    return builder.build(newEpoch);
  }

  /** Groups that changed after the epoch, by number. */
  public List<PgView> changedSince(long since) {
    List<PgView> found = new ArrayList<>();
    for (Pool pool : pools.values()) {
      for (int i = 0; i < pool.changed.length; i++) {
        PgView view = pool.views[i];
        if (pool.changed[i] > since && view != null) {
          found.add(view);
        }
      }
    }
    return found;
  }

  /** The replica counts for which there is a pool. */
  public SortedSet<Integer> pools() {
    return new TreeSet<>(pools.keySet());
  }

  @Override
  public long epoch() {
    return epoch;
  }

  @Override
  public int bits() {
    return bits;
  }

  @Override
  public Optional<PgView> group(int pg) {
    Pool pool = pools.get(Pools.pool(pg));
    int number = Pools.number(pg);
    return pool == null || number >= pool.views.length
        ? Optional.empty()
        : Optional.ofNullable(pool.views[number]);
  }

  @Override
  public Collection<PgView> groups() {
    return changedSince(Long.MIN_VALUE);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PlacementTable table
        && epoch == table.epoch
        && bits == table.bits
        && changedSince(Long.MIN_VALUE).equals(table.changedSince(Long.MIN_VALUE));
  }

  @Override
  public int hashCode() {
    return Objects.hash(epoch, bits);
  }

  @Override
  public String toString() {
    return "PlacementTable[epoch=" + epoch + ", bits=" + bits + ", pools=" + pools.keySet() + "]";
  }

  /** Puts a table together group by group, each with the epoch of its last change. */
  public static final class Builder {
    private final int bits;
    private final SortedMap<Integer, Pool> pools;
    private final TreeSet<Integer> owned = new TreeSet<>();

    public Builder(PlacementTable from) {
      bits = from.bits;
      pools = new TreeMap<>(from.pools);
    }

    public void put(PgView view, long changed) {
      Pool pool = own(Pools.pool(view.pg()));
      pool.views[Pools.number(view.pg())] = view;
      pool.changed[Pools.number(view.pg())] = changed;
    }

    public PlacementTable build(long epoch) {
      owned.clear(); // the arrays belong to the table from here on
      return new PlacementTable(epoch, bits, new TreeMap<>(pools));
    }

    private Pool own(int number) {
      Pool pool = pools.get(number);
      if (pool == null || owned.add(number)) {
        pool = pool == null ? emptyPool() : pool.copy();
        owned.add(number);
        pools.put(number, pool);
      }
      return pool;
    }

    private Pool emptyPool() {
      long[] changed = new long[1 << bits];
      Arrays.fill(changed, Long.MIN_VALUE);
      return new Pool(new PgView[1 << bits], changed);
    }
  }
}
