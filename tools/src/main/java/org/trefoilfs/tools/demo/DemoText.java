package org.trefoilfs.tools.demo;

import java.nio.file.Path;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.status.Table;

/** What a demo tells its user to try. */
public final class DemoText {
  private final Demo demo;
  private final String command;

  public DemoText(Demo demo, String command) {
    this.demo = demo;
    this.command = command;
  }

  public String hosts() {
    Table table = new Table("HOST", "ADDRESS", "PROCESS", "MOUNTED AT");
    for (int host : demo.running()) {
      DaemonFile file = demo.file(host).orElseThrow();
      table.row(
          file.name(),
          file.addresses().getFirst().toString(),
          Long.toString(file.process().pid()),
          shown(DemoFile.mountPoint(demo.directory(), host)));
    }
    return table.render();
  }

  public String suggestions() {
    int last = demo.hosts();
    String first = shown(DemoFile.mountPoint(demo.directory(), 1));
    String second = shown(DemoFile.mountPoint(demo.directory(), Math.min(2, last)));
    String data = shown(DemoFile.data(demo.directory(), last));
    long pid = demo.file(last).orElseThrow().process().pid();
    return """
    Write through one host, read through another:
      cp -a /usr/share/doc %1$s/
      diff -r --no-dereference /usr/share/doc %2$s/doc && echo identical

    Watch it from another terminal, or in a browser:
      %5$s status --watch
      %6$s

    Kill a host, go on, and let it come back and catch up; calls on its own mount wait for it:
      kill -9 %4$d
      echo 'still here' > %1$s/note && cat %2$s/note
      %5$s host start --data %3$s --detach
      %5$s status --wait-in-sync

    Stop it; the data stays for the next demo:
      %5$s demo --stop
    """
        .formatted(first, second, data, pid, command, page());
  }

  private String page() {
    return demo.file(1)
        .flatMap(file -> file.remembered().http())
        .map(address -> "http://" + address + "/")
        .orElse("(no status page)");
  }

  /** Relative to where the user is, when that is shorter. */
  private static String shown(Path path) {
    Path here = Path.of("").toAbsolutePath();
    return path.startsWith(here) ? here.relativize(path).toString() : path.toString();
  }
}
