package org.trefoilfs.replication.host;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.StableFile;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;

/**
 * Who a data directory belongs to, kept in its {@code host.properties}.
 *
 * @param detection the cluster's, see {@link HostOptions.Settings}
 * @param incarnation of the daemon that runs now; one more at each start
 */
public record Identity(
    String clusterId,
    HostId host,
    String name,
    Address address,
    boolean witness,
    Duration detection,
    long incarnation) {
  private static final String FILE = "host.properties";

  /** The state log's port is the next one after this program's own. */
  public Address raftAddress() {
    return new Address(address.host(), address.port() + 1);
  }

  /** Reads the identity of a data directory; empty when it has none yet. */
  public static Optional<Identity> load(Path data) {
    Path file = data.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (InputStream in = Files.newInputStream(file)) {
      Properties properties = new Properties();
      properties.load(in);
      return Optional.of(parse(properties));
    } catch (IOException | RuntimeException e) {
      throw new TrefoilException(
          Reason.CORRUPT,
          file
              + " is damaged ("
              + e.getMessage()
              + "); restore it from a backup, or start with an empty --data and --join",
          e);
    }
  }

  private static Identity parse(Properties properties) {
    return new Identity(
        required(properties, "cluster"),
        new HostId(Integer.parseInt(required(properties, "host"))),
        required(properties, "name"),
        Address.parse(required(properties, "address"), HostOptions.DEFAULT_PORT),
        Boolean.parseBoolean(required(properties, "witness")),
        Duration.ofMillis(Long.parseLong(required(properties, "detection-ms"))),
        Long.parseLong(required(properties, "incarnation")));
  }

  private static String required(Properties properties, String key) {
    String value = properties.getProperty(key);
    if (value == null) {
      throw new IllegalArgumentException("no '" + key + "' in it");
    }
    return value;
  }

  /** Writes it so that a crash leaves the old one or the new one. */
  public void save(Path data) {
    Properties properties = new Properties();
    properties.setProperty("cluster", clusterId);
    properties.setProperty("host", Integer.toString(host.value()));
    properties.setProperty("name", name);
    properties.setProperty("address", address.toString());
    properties.setProperty("witness", Boolean.toString(witness));
    properties.setProperty("detection-ms", Long.toString(detection.toMillis()));
    properties.setProperty("incarnation", Long.toString(incarnation));
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try {
      properties.store(text, "Trefoil host; do not copy to another machine");
      StableFile.replace(data.resolve(FILE), text.toByteArray());
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, "cannot write " + data.resolve(FILE) + ": " + e.getMessage(), e);
    }
  }

  public Identity nextIncarnation() {
    return new Identity(clusterId, host, name, address, witness, detection, incarnation + 1);
  }
}
