package org.trefoilfs.tools.support;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.cli.Context;
import org.trefoilfs.tools.cli.TrefoilCli;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.TrefoilLibrary;

/** What a command printed and how it ended, run in this process. */
public record CommandRun(int status, String out, String err) {
  /** Surroundings without any cluster of the machine's. */
  public static final class Setting {
    private final Library library;
    private final Path directory;
    private final String mainClass;
    private final Map<String, String> environment = new HashMap<>();

    /** Of a stub behind the command line. */
    public Setting(Library library, Path directory) {
      this(library, StubMain.class.getName(), directory);
    }

    /** Of the filesystem proper. */
    public static Setting real(Path directory) {
      return new Setting(new TrefoilLibrary(), Trefoil.class.getName(), directory);
    }

    private Setting(Library library, String mainClass, Path directory) {
      this.library = library;
      this.mainClass = mainClass;
      this.directory = directory;
      environment.put("TREFOIL_RUN", directory.resolve("run").toString());
    }

    public Setting with(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    public Context.Machine machine() {
      return new Context.Machine(
          Map.copyOf(environment), directory, directory.resolve("system"), "trefoil");
    }

    public CommandRun run(String... arguments) {
      StringWriter out = new StringWriter();
      StringWriter err = new StringWriter();
      Context context =
          new Context(
              library,
              mainClass,
              new Context.Streams(new PrintWriter(out), new PrintWriter(err)),
              machine());
      int status = TrefoilCli.run(context, arguments);
      return new CommandRun(status, out.toString(), err.toString());
    }
  }
}
