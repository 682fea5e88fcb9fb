package org.trefoilfs.tools.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Gives every command's help the sections of a manual page. */
final class Manual {
  private static final int WIDTH = 96;
  private static final String INDENT = "  ";
  private static final List<String> ENVIRONMENT =
      List.of(
          "",
          "ENVIRONMENT",
          INDENT + "TREFOIL_CLUSTER  hosts to ask, as --cluster takes them",
          INDENT + "TREFOIL_DATA     data directory of the host to ask, as --data takes it",
          INDENT + "TREFOIL_RUN      where mounts are registered (default: /run/trefoil for root,",
          INDENT + "                 else $XDG_RUNTIME_DIR/trefoil)",
          INDENT + "JAVA_HOME        a JDK 25, when it is not found by itself");
  private static final List<String> FILES =
      List.of(
          "",
          "FILES",
          INDENT + "DIR/daemon.json  who serves data directory DIR, and whom to ask besides",
          INDENT + "DIR/daemon.log   its log; rolls at 10 MB, five old ones are kept",
          INDENT + "DIR/mounts.json  its mounts, mounted again when it is started again",
          INDENT + "/var/lib/trefoil data directory that is asked when nothing else is said",
          INDENT + "target/demo      the demo, asked last");

  private Manual() {}

  static void complete(CommandLine command) {
    command.setUsageHelpWidth(WIDTH);
    UsageMessageSpec usage = command.getCommandSpec().usageMessage();
    usage.synopsisHeading("SYNOPSIS%n" + INDENT);
    usage.descriptionHeading("%nDESCRIPTION%n");
    usage.parameterListHeading("%nARGUMENTS%n");
    usage.optionListHeading("%nOPTIONS%n");
    usage.commandListHeading("%nCOMMANDS%n");
    usage.exitCodeListHeading("%nEXIT STATUS%n");
    usage.exitCodeList(exitCodes());
    usage.showDefaultValues(true);
    usage.sortOptions(false);
    usage.footer(footer(usage.footer()));
    command.getSubcommands().values().forEach(Manual::complete);
  }

  private static Map<String, String> exitCodes() {
    Map<String, String> codes = new LinkedHashMap<>();
    for (ExitCode code : ExitCode.values()) {
      codes.put(INDENT + code.status(), code.meaning());
    }
    return codes;
  }

  /** A command's own footer is its examples, one command each. */
  private static String[] footer(String... examples) {
    List<String> lines = new ArrayList<>();
    if (examples.length > 0) {
      lines.add("");
      lines.add("EXAMPLES");
      for (String example : examples) {
        lines.add(INDENT + example);
      }
    }
    lines.addAll(ENVIRONMENT);
    lines.addAll(FILES);
    return lines.toArray(String[]::new);
  }
}
