package org.trefoilfs.replication.membership;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.ClusterRules.Outcome;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;
import org.trefoilfs.replication.statelog.StateModule;

/**
 * The cluster as a state machine. {@link ClusterRules} says what a command means; this keeps the
 * rows and their immutable mirror in step: commands work on the mirror, and rows are what survives.
 */
public final class ClusterModule implements StateModule {
  public static final byte ID = 1;

  private final List<Consumer<ClusterView>> listeners = new CopyOnWriteArrayList<>();

  /** What the rows say, seen by the applying thread alone; ahead of the view within a command. */
  private ClusterState state = ClusterState.EMPTY;

  private volatile ClusterView view = ClusterView.empty();

  /** The cluster as of the last command applied here. */
  public ClusterView view() {
    return view;
  }

  /**
   * {@code listener} is called with each later view, on the applying thread: it must be quick and
   * must not wait for the state log.
   */
  public void listen(Consumer<ClusterView> listener) {
    listeners.add(listener);
  }

  /** What {@link ClusterDelta#apply} needs to bring a view of {@code epoch} up to date. */
  public byte[] deltaSince(long epoch) {
    return view.deltaSince(epoch);
  }

  /** Asks for {@link #deltaSince}, linearizably. */
  static byte[] deltaQuery(long epoch) {
    return new ByteWriter(16).i64(epoch).toBytes();
  }

  @Override
  public byte id() {
    return ID;
  }

  @Override
  public byte[] apply(KeyValue rows, byte[] command) {
    ClusterState before = current(rows);
    Outcome outcome = ClusterRules.apply(before, ClusterCommand.decode(command));
    ClusterRows.write(rows, before, outcome.state());
    state = outcome.state();
    return outcome.reply();
  }

  @Override
  public void applied(KeyValueReader rows) {
    publish(current(rows));
  }

  @Override
  public byte[] query(KeyValueReader rows, byte[] query) {
    return deltaSince(new ByteReader(query).i64());
  }

  @Override
  public void restored(KeyValueReader rows) {
    state = ClusterRows.read(rows);
    publish(state);
  }

  /** Reads the rows again when they are not what was last written: a command was undone. */
  private ClusterState current(KeyValueReader rows) {
    if (ClusterRows.epoch(rows) != state.epoch()) {
      state = ClusterRows.read(rows);
    }
    return state;
  }

  private void publish(ClusterState newest) {
    if (newest.epoch() != view.epoch()) {
      view = newest.view();
      listeners.forEach(listener -> listener.accept(newest.view()));
    }
  }
}
