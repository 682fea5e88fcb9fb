package org.trefoilfs.tools.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.library.TrefoilLibrary;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** What a package brings beside the program: a manual page of each command, and completion. */
public final class Pages {
  private Pages() {}

  /** Arguments: the directory for pages of section 1, and the file for bash's completion. */
  public static void main(String[] arguments) throws IOException {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    Context context =
        new Context(
            new TrefoilLibrary(),
            Trefoil.class.getName(),
            new Context.Streams(nowhere, nowhere),
            Context.Machine.real());
    CommandLine trefoil = TrefoilCli.build(context, new GlobalOptions());
    write(trefoil, Path.of(arguments[0]));
    Files.writeString(Path.of(arguments[1]), AutoComplete.bash("trefoil", trefoil));
  }

  private static void write(CommandLine command, Path directory) throws IOException {
    String name = command.getCommandSpec().qualifiedName("-");
    Files.writeString(directory.resolve(name + ".1"), page(command));
    for (CommandLine sub : command.getSubcommands().values()) {
      write(sub, directory);
    }
  }

  /** The help is laid out as a manual page already: its headings begin the lines. */
  static String page(CommandLine command) {
    String name = command.getCommandSpec().qualifiedName("-");
    String[] about = command.getCommandSpec().usageMessage().description();
    StringBuilder page = new StringBuilder();
    page.append(".TH ").append(name.toUpperCase(Locale.ROOT)).append(" 1 \"\" Trefoil\n");
    page.append(".SH NAME\n").append(escaped(name)).append(" \\- ").append(escaped(brief(about)));
    page.append("\n");
    for (String line : command.getUsageMessage(Ansi.OFF).lines().toList()) {
      if (line.isEmpty() || Character.isWhitespace(line.charAt(0))) {
        page.append(escaped(line.stripTrailing())).append("\n");
      } else {
        page.append(".fi\n.SH ").append(escaped(line.strip())).append("\n.nf\n");
      }
    }
    return page.append(".fi\n").toString();
  }

  /** The first sentence. */
  private static String brief(String... about) {
    String text = about.length == 0 ? "" : about[0];
    int end = text.indexOf(". ");
    String sentence = end < 0 ? text : text.substring(0, end);
    return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
  }

  /** A line as roff prints it: no escapes, no requests. */
  private static String escaped(String line) {
    String text = line.replace("\\", "\\e").replace("-", "\\-");
    return text.startsWith(".") || text.startsWith("'") ? "\\&" + text : text;
  }
}
