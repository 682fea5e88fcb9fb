package org.trefoilfs.tools;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.trefoilfs.tools.cli.Context;
import org.trefoilfs.tools.cli.TrefoilCli;
import org.trefoilfs.tools.library.TrefoilLibrary;

/** The {@code trefoil} command. */
public final class Trefoil {
  private Trefoil() {}

  public static void main(String[] arguments) {
    Context context =
        new Context(
            new TrefoilLibrary(),
            Trefoil.class.getName(),
            new Context.Streams(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8)),
            Context.Machine.real());
    // Threads of the library must not keep a finished command alive.
    System.exit(TrefoilCli.run(context, arguments));
  }
}
