package org.trefoilfs.mount.fuse.kernel;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.fuse.Later;

/**
 * Brings INTERRUPTs to the requests that they mean. Threads read side by side, so an INTERRUPT may
 * be here before its request has begun: it is remembered. The kernel would send it again if it were
 * answered with EAGAIN, but at once, and for calls that wait for no lock, too, again and again.
 *
 * @see <a href="https://www.kernel.org/doc/html/latest/filesystems/fuse.html">FUSE, "Interrupting
 *     filesystem operations"</a>
 */
final class Interrupts {
  /** A request begins some microseconds after it was read; so many are not interrupted in those. */
  private static final int REMEMBERED = 4096;

  private final Map<Long, Later> calls = new HashMap<>();
  private final Set<Long> early = new LinkedHashSet<>();

  void began(long unique, Later call) {
    boolean interrupted;
    synchronized (this) {
      calls.put(unique, call);
      interrupted = early.remove(unique);
    }
    if (interrupted) {
      call.interrupt();
    }
  }

  synchronized void ended(long unique) {
    calls.remove(unique);
  }

  void interrupt(long unique) {
    @Nullable Later call;
    synchronized (this) {
      call = calls.get(unique);
      if (call == null) {
        remember(unique);
      }
    }
    if (call != null) {
      call.interrupt();
    }
  }

  private void remember(long unique) {
    early.add(unique);
    if (early.size() > REMEMBERED) {
      Iterator<Long> eldest = early.iterator();
      eldest.next();
      eldest.remove();
    }
  }
}
