package org.trefoilfs.tools.daemon;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the service manager that has started this process how it is (sd_notify(3)): datagrams of
 * {@code NAME=VALUE} lines to the socket of {@code NOTIFY_SOCKET}. Without one nothing is said, and
 * what cannot be said stops nobody. Java's own sockets of this family know streams alone.
 */
public final class ServiceManager {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

  private static final short UNIX = 1;

  /** SOCK_DGRAM | SOCK_CLOEXEC of linux/net.h. */
  private static final int DATAGRAMS_CLOSED_ON_EXEC = 2 | 02000000;

  /** MSG_NOSIGNAL of linux/socket.h. */
  private static final int NO_SIGNAL = 0x4000;

  /** Of sun_path in struct sockaddr_un. */
  private static final int PATH_MAX = 108;

  private final byte[] address;
  private final Optional<Duration> watchdog;

  private ServiceManager(byte[] address, Optional<Duration> watchdog) {
    this.address = address;
    this.watchdog = watchdog;
  }

  /** The one that an environment names; one that hears nothing if it names none. */
  public static ServiceManager of(Map<String, String> environment) {
    String socket = environment.getOrDefault("NOTIFY_SOCKET", "");
    byte[] address = socket.getBytes(StandardCharsets.UTF_8);
    if (address.length == 0) {
      return new ServiceManager(address, Optional.empty());
    }
    if (address.length >= PATH_MAX || (address[0] != '/' && address[0] != '@')) {
      LOG.warn("NOTIFY_SOCKET={}: not a socket of this machine; it is told nothing", socket);
      return new ServiceManager(new byte[0], Optional.empty());
    }
    if (address[0] == '@') {
      address[0] = 0;
    }
    return new ServiceManager(address, watchdog(environment));
  }

  /** Another process' watchdog is not this one's. */
  private static Optional<Duration> watchdog(Map<String, String> environment) {
    String pid = environment.getOrDefault("WATCHDOG_PID", "");
    if (!pid.isEmpty() && !pid.equals(Long.toString(ProcessHandle.current().pid()))) {
      return Optional.empty();
    }
    try {
      long micros = Long.parseLong(environment.getOrDefault("WATCHDOG_USEC", "0"));
      return micros > 0 ? Optional.of(Duration.ofNanos(micros * 1000)) : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** How long {@link #alive} may be silent before this process is killed, if it watches. */
  public Optional<Duration> watchdog() {
    return watchdog;
  }

  public void ready(String status) {
    say("READY=1\nSTATUS=" + status + "\nMAINPID=" + ProcessHandle.current().pid());
  }

  public void stopping(String status) {
    say("STOPPING=1\nSTATUS=" + status);
  }

  public void alive() {
    say("WATCHDOG=1");
  }

  private void say(String lines) {
    if (address.length == 0) {
      return;
    }
    try {
      send(lines.getBytes(StandardCharsets.UTF_8));
    } catch (Throwable e) {
      LOG.warn("the service manager was not told: {}", lines, e);
    }
  }

  private void send(byte[] message) throws Throwable {
    int socket =
        (int)
            function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT))
                .invokeExact((int) UNIX, DATAGRAMS_CLOSED_ON_EXEC, 0);
    if (socket < 0) {
      LOG.warn("the service manager was not told: no socket");
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      // struct sockaddr_un: the family, then the path; an abstract one is as long as it is.
      MemorySegment to = arena.allocate(Short.BYTES + address.length + 1L, Long.BYTES);
      to.set(JAVA_SHORT, 0, UNIX);
      MemorySegment.copy(address, 0, to, JAVA_BYTE, Short.BYTES, address.length);
      int length = Short.BYTES + address.length + (address[0] == 0 ? 0 : 1);
      long sent =
          (long)
              function(
                      "sendto",
                      FunctionDescriptor.of(
                          JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT))
                  .invokeExact(
                      socket,
                      arena.allocateFrom(JAVA_BYTE, message),
                      (long) message.length,
                      NO_SIGNAL,
                      to,
                      length);
      if (sent != message.length) {
        LOG.warn("the service manager does not take what it is told");
      }
    } finally {
      int unused =
          (int) function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT)).invokeExact(socket);
    }
  }

  private static MethodHandle function(String name, FunctionDescriptor shape) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), shape);
  }
}
