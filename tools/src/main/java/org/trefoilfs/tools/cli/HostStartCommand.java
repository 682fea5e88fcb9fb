package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Where;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.ConfigFile;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "start",
    description = {
      "Starts a host: this machine gives the directory DIR to the cluster and serves until it is"
          + " stopped. A new directory becomes a cluster of its own, or, with --join, a member of"
          + " another's. A directory that was used before goes on where it was; what it was"
          + " started with then holds again unless something else is said.",
      "",
      "SIGTERM and 'trefoil host stop' unmount and stop cleanly; the host's mounts come back with"
          + " its next start.",
      "",
      "A configuration file is YAML with any of the keys data, name, listen, join, witness,"
          + " domain, weight, heap, write-memory, failure-detection, groups, write-timeout,"
          + " catch-up-rate, docker-socket, docker-mounts, http and log-format, each as the option of"
          + " its name. The command line wins."
    },
    footer = {
      "trefoil host start --data /var/lib/trefoil --detach",
      "trefoil host start --data /var/lib/trefoil --join 10.0.0.1:7440 --detach",
      "trefoil host start --data /var/lib/trefoil --join 10.0.0.1:7440 --witness",
      "trefoil host start --config /etc/trefoil/host.yaml"
    })
final class HostStartCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Mixin final Settings settings = new Settings();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Configuration file; see DESCRIPTION.")
  @Nullable Path config;

  @Option(
      names = "--detach",
      description = "Run in the background; return when the host serves. Its log: DIR/daemon.log.")
  boolean detach;

  HostStartCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  /** One option for each {@link Key} but the data directory. */
  static final class Settings {
    @Option(
        names = "--name",
        paramLabel = "NAME",
        description = "The host's name, one of its kind (default: this machine's name).")
    @Nullable String name;

    @Option(
        names = "--listen",
        paramLabel = "ADDRESS:PORT",
        description =
            "Where the other hosts reach this one; the next port is used too (default: the address"
                + " that faces them, port "
                + HostOptions.DEFAULT_PORT
                + ").")
    @Nullable String listen;

    @Option(
        names = "--join",
        paramLabel = "ADDRESS:PORT",
        description = "Any host of the cluster to join. Matters to a new directory only.")
    @Nullable String join;

    @Option(
        names = "--witness",
        arity = "0..1",
        fallbackValue = "true",
        paramLabel = "true|false",
        description = "Vote, and store nothing: lets two storage hosts survive the loss of one.")
    @Nullable String witness;

    @Option(
        names = "--domain",
        paramLabel = "TEXT",
        description =
            "Failure domain, such as a rack: replicas go to distinct ones first (default: the"
                + " host's name).")
    @Nullable String domain;

    @Option(
        names = "--weight",
        paramLabel = "1..100",
        description = "Relative share of the data (default: 1).")
    @Nullable String weight;

    @Option(
        names = "--heap",
        paramLabel = "SIZE",
        description = "Memory for Java objects (default: " + HostConfig.DEFAULT_HEAP + ").")
    @Nullable String heap;

    @Option(
        names = "--write-memory",
        paramLabel = "SIZE",
        description =
            "How much of the heap the data of writes may take until it is stored, 32m or more, and"
                + " at most half of it (default: three eighths). Writers are slowed where it is"
                + " used up.")
    @Nullable String writeMemory;

    @Option(
        names = {"--failure-detection", "--detection"},
        paramLabel = "DURATION",
        description =
            "A host not heard of for so long is taken for dead: 500ms to 60s. The first host says"
                + " it for the whole cluster (default: 2s); another host takes the cluster's, and"
                + " may not say otherwise.")
    @Nullable String detection;

    @Option(
        names = "--groups",
        paramLabel = "N",
        description =
            "Placement groups of each pool, a power of two from 64 to 65536. The first host says it"
                + " for the whole cluster, once and for all (default: 1024, for up to some 30"
                + " hosts; 4096 for 100).")
    @Nullable String groups;

    @Option(
        names = {"--write-timeout", "--timeout"},
        paramLabel = "DURATION",
        description =
            "How long a call through this host waits for enough replicas before EIO: 1s to 60m, at"
                + " least twice the failure detection (default: 30s).")
    @Nullable String timeout;

    @Option(
        names = "--catch-up-rate",
        paramLabel = "SIZE",
        description =
            "What this host fetches per second at most while it catches up, so that writes keep"
                + " their pace: 1MiB or more, such as 200MiB, or 'unlimited' (default: 100MiB). It"
                + " fetches less while its disk is busy with writes; 'trefoil status' shows how far"
                + " it is.")
    @Nullable String catchUpRate;

    @Option(
        names = "--docker-socket",
        paramLabel = "PATH|none",
        description =
            "Be a volume plugin for the Docker engine of this machine, at this socket:"
                + " /run/docker/plugins/trefoil.sock makes it the driver 'trefoil' (docker volume"
                + " create -d trefoil -o replicas=3 NAME). Root alone. Its options are those of"
                + " 'trefoil volume create', as in -o commit=async.")
    @Nullable String dockerSocket;

    @Option(
        names = "--docker-mounts",
        paramLabel = "DIR",
        description =
            "Where volumes that containers use are mounted, one directory each, for as long as"
                + " there are such containers (default: DIR/docker of the data directory).")
    @Nullable String dockerMounts;

    @Option(
        names = "--http",
        paramLabel = "ADDRESS:PORT|none",
        description =
            "Serve a status page at /, metrics for Prometheus at /metrics, and health at /healthz"
                + " and /readyz, without a password, to whoever reaches this address; nothing can be"
                + " changed there (default: none; port 7480 unless said).")
    @Nullable String http;

    @Option(
        names = "--log-format",
        paramLabel = "text|json",
        description = "Of DIR/daemon.log (default: text).")
    @Nullable String logFormat;

    HostConfig toConfig() {
      HostConfig config = HostConfig.empty();
      config = with(config, Key.NAME, name);
      config = with(config, Key.LISTEN, listen);
      config = with(config, Key.JOIN, join);
      config = with(config, Key.WITNESS, witness);
      config = with(config, Key.DOMAIN, domain);
      config = with(config, Key.WEIGHT, weight);
      config = with(config, Key.HEAP, heap);
      config = with(config, Key.WRITE_MEMORY, writeMemory);
      config = with(config, Key.FAILURE_DETECTION, detection);
      config = with(config, Key.GROUPS, groups);
      config = with(config, Key.WRITE_TIMEOUT, timeout);
      config = with(config, Key.CATCH_UP_RATE, catchUpRate);
      config = with(config, Key.DOCKER_SOCKET, dockerSocket);
      config = with(config, Key.DOCKER_MOUNTS, dockerMounts);
      config = with(config, Key.HTTP, http);
      return with(config, Key.LOG_FORMAT, logFormat);
    }

    private static HostConfig with(HostConfig config, Key key, @Nullable String value) {
      return value == null ? config : config.with(key, value);
    }
  }

  @Override
  public Integer call() {
    HostConfig effective = effective();
    effective.toOptions(); // what makes no sense is said here, before there is another process
    if (!detach) {
      throw context.daemons().become(effective);
    }
    DaemonFile started = context.daemons().detach(effective);
    context
        .out()
        .printf(
            "host %s serves at %s (process %d, cluster %s)%n",
            started.name(),
            started.addresses().getFirst(),
            started.process().pid(),
            started.clusterId());
    warn(started);
    return ExitCode.OK.status();
  }

  /** A cluster of two is told what it does not survive. Failing to ask is no failure to start. */
  private void warn(DaemonFile started) {
    Target self = new Target(started.addresses().subList(0, 1), DaemonFile.NAME);
    try (AdminClient client = context.connect(self, Context.ANSWER)) {
      client.ask(Verb.WHERE, Where.class).warnings().forEach(context::warn);
    } catch (TrefoilException e) {
      context.warn("host " + started.name() + " does not answer yet: " + e.getMessage());
    }
  }

  /** Command line over file over what the directory remembers. */
  HostConfig effective() {
    HostConfig given = settings.toConfig();
    if (global.data != null) {
      given = given.with(Key.DATA, global.data.toString());
    }
    if (config != null) {
      given = given.over(ConfigFile.read(config));
    }
    return given.over(
        DaemonFile.load(given.data()).map(DaemonFile::remembered).orElse(HostConfig.empty()));
  }
}
