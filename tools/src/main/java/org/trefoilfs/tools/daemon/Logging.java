package org.trefoilfs.tools.daemon;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.LoggerFactory;

/** Where log lines go: nowhere for a command, to {@code DIR/daemon.log} for a daemon. */
public final class Logging {
  public static final String FILE = "daemon.log";

  /** With {@link #OLD_FILES}, a log takes at most 60 MB of its directory's disk. */
  private static final String FILE_SIZE = "10MB";

  private static final int OLD_FILES = 5;
  private static final String PATTERN = "%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{20}: %msg%n";

  /** Of a daemon's log. */
  public enum Format {
    TEXT,
    /** An object in each line, with {@code timestamp} in milliseconds, {@code level} and so on. */
    JSON;

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Format of(String text) {
      return valueOf(text.toUpperCase(Locale.ROOT));
    }
  }

  private Logging() {}

  /** A command's own output is all that its user sees, unless asked for more. */
  public static void forCommand(boolean verbose) {
    Logger root = root();
    root.detachAndStopAllAppenders();
    root.setLevel(verbose ? Level.INFO : Level.OFF);
    if (verbose) {
      root.addAppender(console(Level.INFO, pattern()));
    }
  }

  /** A file that rolls, and warnings on standard error as well. */
  public static void forDaemon(Path data, Format format, boolean verbose) {
    Logger root = root();
    root.detachAndStopAllAppenders();
    root.setLevel(verbose ? Level.DEBUG : Level.INFO);
    // Both say at INFO what only their developers want to know.
    context().getLogger("org.apache.ratis").setLevel(verbose ? Level.INFO : Level.WARN);
    if (!verbose) {
      // A stack trace for each attempt to reach a host that is down: thousands an hour.
      context().getLogger("org.apache.ratis.util.LifeCycle").setLevel(Level.OFF);
      context().getLogger("org.apache.ratis.netty").setLevel(Level.OFF);
      context().getLogger("org.apache.ratis.server.leader.LogAppender").setLevel(Level.ERROR);
      context().getLogger("org.apache.ratis.server.impl.LeaderElection").setLevel(Level.ERROR);
    }
    context().getLogger("io.netty").setLevel(Level.WARN);
    root.addAppender(file(data, encoder(format)));
    root.addAppender(console(verbose ? Level.INFO : Level.WARN, encoder(format)));
  }

  private static RollingFileAppender<ILoggingEvent> file(
      Path data, Encoder<ILoggingEvent> encoder) {
    String name = data.resolve(FILE).toString();
    RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
    appender.setContext(context());
    appender.setFile(name);
    appender.setEncoder(encoder);
    FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
    rolling.setContext(context());
    rolling.setParent(appender);
    rolling.setFileNamePattern(name + ".%i");
    rolling.setMaxIndex(OLD_FILES);
    rolling.start();
    SizeBasedTriggeringPolicy<ILoggingEvent> trigger = new SizeBasedTriggeringPolicy<>();
    trigger.setContext(context());
    trigger.setMaxFileSize(FileSize.valueOf(FILE_SIZE));
    trigger.start();
    appender.setRollingPolicy(rolling);
    appender.setTriggeringPolicy(trigger);
    appender.start();
    return appender;
  }

  private static ConsoleAppender<ILoggingEvent> console(
      Level level, Encoder<ILoggingEvent> encoder) {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context());
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    ThresholdFilter threshold = new ThresholdFilter();
    threshold.setLevel(level.toString());
    threshold.start();
    appender.addFilter(threshold);
    appender.start();
    return appender;
  }

  private static Encoder<ILoggingEvent> encoder(Format format) {
    return switch (format) {
      case TEXT -> pattern();
      case JSON -> json();
    };
  }

  private static JsonEncoder json() {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setContext(context());
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    encoder.setWithContext(false);
    encoder.setWithMDC(false);
    encoder.setWithMarkers(false);
    encoder.setWithKVPList(false);
    encoder.setWithArguments(false);
    encoder.setWithMessage(false);
    encoder.setWithFormattedMessage(true);
    encoder.start();
    return encoder;
  }

  private static PatternLayoutEncoder pattern() {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context());
    encoder.setPattern(PATTERN);
    encoder.start();
    return encoder;
  }

  private static LoggerContext context() {
    return (LoggerContext) LoggerFactory.getILoggerFactory();
  }

  private static Logger root() {
    return context().getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }
}
