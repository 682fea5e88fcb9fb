package org.trefoilfs.tools.support;

import java.io.PrintWriter;
import org.trefoilfs.tools.cli.Context;
import org.trefoilfs.tools.cli.TrefoilCli;

/** The real command around stub hosts, as a process of its own. */
public final class StubMain {
  private StubMain() {}

  public static void main(String[] arguments) {
    Context.Streams streams =
        new Context.Streams(new PrintWriter(System.out, true), new PrintWriter(System.err, true));
    Context context =
        new Context(new StubLibrary(), StubMain.class.getName(), streams, Context.Machine.real());
    System.exit(TrefoilCli.run(context, arguments));
  }
}
