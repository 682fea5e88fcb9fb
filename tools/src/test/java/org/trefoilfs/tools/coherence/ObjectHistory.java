package org.trefoilfs.tools.coherence;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What was done to one object, such as a name or a block, by several at once, and whether it can
 * have happened one operation at a time, each at a moment between its begin and its end: Wing and
 * Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of Lowe, "Testing for
 * linearizability" (2017). The object's state is a number. Safe for use by many threads.
 */
final class ObjectHistory {
  /** Of a name that is none. */
  static final long ABSENT = 0;

  private static final long IMPOSSIBLE = Long.MIN_VALUE;

  /** Operations that are told before and after the one that does not fit. */
  private static final int TOLD = 12;

  private final String name;
  private final long initial;
  private final List<Operation> operations = new ArrayList<>();

  private record Operation(
      String mount, String what, long begin, long end, LongUnaryOperator effect) {
    long nanos() {
      return end - begin;
    }

    @Override
    public String toString() {
      return "%.3f to %.3f ms, %s: %s".formatted(begin / 1e6, end / 1e6, mount, what);
    }
  }

  ObjectHistory(String name, long initial) {
    this.name = name;
    this.initial = initial;
  }

  /** An operation that is under way; times are of {@link System#nanoTime}. */
  final class Call {
    private final String mount;
    private final long begin = System.nanoTime();

    private Call(String mount) {
      this.mount = mount;
    }

    void read(long value) {
      end("is " + value, state -> state == value ? state : IMPOSSIBLE);
    }

    void wrote(long value) {
      end("becomes " + value, state -> value);
    }

    /** It was there, whatever it was. */
    void foundPresent() {
      end("is there", state -> state != ABSENT ? state : IMPOSSIBLE);
    }

    void created(long value) {
      end("is created as " + value, state -> state == ABSENT ? value : IMPOSSIBLE);
    }

    void removed() {
      end("is removed", state -> state != ABSENT ? ABSENT : IMPOSSIBLE);
    }

    void taken(long value) {
      end("is taken away as " + value, state -> state == value ? ABSENT : IMPOSSIBLE);
    }

    private void end(String what, LongUnaryOperator effect) {
      Operation done = new Operation(mount, what, begin, System.nanoTime(), effect);
      synchronized (operations) {
        operations.add(done);
      }
    }
  }

  /** An operation begins. */
  Call begin(String mount) {
    return new Call(mount);
  }

  int size() {
    synchronized (operations) {
      return operations.size();
    }
  }

  /** Of its operations; zero when there are none. */
  Duration longest() {
    return Duration.ofNanos(operations.stream().mapToLong(Operation::nanos).max().orElse(0));
  }

  /** The one that took longest, told. */
  String slowest() {
    return name
        + operations.stream()
            .max(Comparator.comparingLong(Operation::nanos))
            .map(one -> ", " + one)
            .orElse("");
  }

  /** What does not fit, told; empty when all does. To be called when all have ended. */
  Optional<String> violation() {
    Search search = new Search(List.copyOf(operations));
    return search.succeeds() ? Optional.empty() : Optional.of(told(search.stuckAt));
  }

  private String told(long at) {
    List<Operation> sorted = new ArrayList<>(operations);
    sorted.sort(Comparator.comparingLong(Operation::end));
    int stuck = 0;
    while (stuck < sorted.size() - 1 && sorted.get(stuck).end() < at) {
      stuck++;
    }
    StringBuilder text =
        new StringBuilder(name + ": there is no order in which these can have happened:");
    for (int i = Math.max(0, stuck - TOLD); i < Math.min(sorted.size(), stuck + TOLD); i++) {
      text.append("\n ").append(i == stuck ? '>' : ' ').append(sorted.get(i));
    }
    return text.toString();
  }

  /** Begin or end of an operation, in a list from which those that have their place are taken. */
  private static final class Event {
    final Operation operation;
    final int number;
    final long at;
    final @Nullable Event end;
    @Nullable Event before;
    @Nullable Event after;

    Event(Operation operation, int number, long at, @Nullable Event end) {
      this.operation = operation;
      this.number = number;
      this.at = at;
      this.end = end;
    }

    void unlink() {
      if (before != null) {
        before.after = after;
      }
      if (after != null) {
        after.before = before;
      }
    }

    void relink() {
      if (before != null) {
        before.after = this;
      }
      if (after != null) {
        after.before = this;
      }
    }
  }

  private record Choice(Event begin, long stateBefore) {}

  private record Reached(BitSet placed, long state) {}

  private final class Search {
    private final Event head;
    private final BitSet placed = new BitSet();
    private final Set<Reached> seen = new HashSet<>();
    private final Deque<Choice> chosen = new ArrayDeque<>();
    private long state = initial;
    private long stuckAt;

    Search(List<Operation> all) {
      List<Event> events = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        Operation operation = all.get(i);
        Event end = new Event(operation, i, operation.end(), null);
        events.add(end);
        events.add(new Event(operation, i, operation.begin(), end));
      }
      events.sort(
          Comparator.<Event>comparingLong(event -> event.at)
              .thenComparing(event -> event.end == null));
      head = new Event(new Operation("", "", 0, 0, now -> now), -1, 0, null);
      Event last = head;
      for (Event event : events) {
        last.after = event;
        event.before = last;
        last = event;
      }
    }

    boolean succeeds() {
      Event event = head.after;
      while (head.after != null) {
        if (event == null) {
          throw new IllegalStateException("an operation that does not end");
        }
        if (event.end == null) {
          stuckAt = Math.max(stuckAt, event.at);
          if (chosen.isEmpty()) {
            return false;
          }
          event = takeBack().after;
        } else if (places(event)) {
          event = head.after;
        } else {
          event = event.after;
        }
      }
      return true;
    }

    private boolean places(Event begin) {
      long next = begin.operation.effect().applyAsLong(state);
      if (next == IMPOSSIBLE) {
        return false;
      }
      placed.set(begin.number);
      if (!seen.add(new Reached((BitSet) placed.clone(), next))) {
        placed.clear(begin.number);
        return false;
      }
      chosen.push(new Choice(begin, state));
      state = next;
      begin.unlink();
      begin.end.unlink();
      return true;
    }

    private Event takeBack() {
      Choice last = chosen.pop();
      state = last.stateBefore();
      placed.clear(last.begin().number);
      last.begin().end.relink();
      last.begin().relink();
      return last.begin();
    }
  }
}
