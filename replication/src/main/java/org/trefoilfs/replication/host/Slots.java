package org.trefoilfs.replication.host;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.commit.GroupPorts;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.placement.PgView;

/**
 * The placement groups of this host by number, and the way in which an event enters one: on the
 * thread that brings it, under the group's lock. Answers that it gives to clients are sent after
 * the lock is released. Lock order: group, then (inside the applier) chunk stripe.
 */
final class Slots implements Applier.Groups {
  private final GroupNode node;
  private final GroupPorts ports;
  private final ConcurrentHashMap<Integer, Slot> slots = new ConcurrentHashMap<>();
  private final ThreadLocal<Queue<Runnable>> answers = ThreadLocal.withInitial(ArrayDeque::new);
  private final Set<Slot> waiting = ConcurrentHashMap.newKeySet();

  /**
   * @param ports of all groups
   */
  Slots(GroupNode node, GroupPorts ports) {
    this.node = node;
    this.ports = ports;
  }

  /** Takes over a group's log as the journal's replay left it. */
  void recovered(GroupLog groupLog, History history) {
    Slot slot = newSlot(groupLog, history);
    slots.put(groupLog.pg(), slot);
    node.memory().counts(slot);
  }

  /** The group's slot; one without a view, if nothing was known of it. */
  Slot of(int pg) {
    return slots.computeIfAbsent(pg, number -> newSlot(new GroupLog(number), new History()));
  }

  /** Whether anything is known of the group here. */
  boolean has(int pg) {
    return slots.containsKey(pg);
  }

  private Slot newSlot(GroupLog groupLog, History history) {
    Group.GroupSettings settings =
        new Group.GroupSettings(
            HostLease.outlasted(node.detection()), node.detection().multipliedBy(3).dividedBy(2));
    return new Slot(
        groupLog.pg(),
        new Group(node.self(), node.incarnation(), groupLog, settings, ports),
        history);
  }

  Collection<Slot> all() {
    return slots.values();
  }

  /** Runs an event under the group's lock, then the answers it gave. */
  void event(Slot slot, Runnable event) {
    eventWithResult(
        slot,
        () -> {
          event.run();
          return slot;
        });
  }

  /** As {@link #event}, for one that answers. */
  <T> T eventWithResult(Slot slot, Supplier<T> event) {
    Queue<Runnable> queue = answers.get();
    boolean outermost = queue.isEmpty();
    try {
      synchronized (slot) {
        try {
          return event.get();
        } finally {
          if (slot.group.isWaiting()) {
            waiting.add(slot);
          } else {
            waiting.remove(slot);
          }
          node.memory().counts(slot);
        }
      }
    } finally {
      if (outermost) {
        for (Runnable answer = queue.poll(); answer != null; answer = queue.poll()) {
          answer.run();
        }
        node.memory().changed();
      }
    }
  }

  /** Runs after the event that this thread is in, without its group's lock. */
  void afterEvent(Runnable answer) {
    answers.get().add(answer);
  }

  /** Time has passed: the groups that wait for something look again. */
  void tick() {
    for (Slot slot : waiting) {
      event(slot, slot.group::tick);
    }
  }

  boolean isPrimary(int pg) {
    Slot slot = of(pg);
    synchronized (slot) {
      return slot.group.isPrimary();
    }
  }

  /** The view, if this host serves the group as its primary in it; else throws STALE_VIEW. */
  PgView serving(int pg, long inView) {
    Slot slot = of(pg);
    synchronized (slot) {
      PgView view = slot.group.currentView();
      if (view == null || view.view() != inView || !slot.group.isPrimary() || !node.leased()) {
        throw new TrefoilException(
            Reason.STALE_VIEW,
            node.self() + " is not serving group " + pg + " in view " + inView + "; fetch the map");
      }
      return view;
    }
  }

  /**
   * To be called before an image is journaled, under the group's lock: a replay then redoes what
   * the image holds before it, and not, when it comes to know that it was committed, over it. And
   * before committed writes are applied: a replay then redoes what a stop may tear.
   *
   * @return the record's position
   */
  @Override
  public long journalCommitted(int pg) {
    Slot slot = of(pg);
    synchronized (slot) {
      GroupLog group = slot.group.log();
      return node.append(new JournalRecord.Committed(pg, group.last().view(), group.commitIndex()));
    }
  }

  @Override
  public void imageJournaled(int pg, long position) {
    Slot slot = of(pg);
    synchronized (slot) {
      slot.group.log().imageAt(position);
    }
  }
}
