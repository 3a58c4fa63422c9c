package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Terminal;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command {@code semantic} itself: what all commands share. */
@Command(
    name = "semantic",
    description = "Runs language models in this JVM and changes them while agents go on.",
    mixinStandardHelpOptions = true,
    versionProvider = SemanticCommand.Version.class,
    scope = ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    subcommands = {
      InfoCommand.class,
      TokenizeCommand.class,
      RenderCommand.class,
      LogitsCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      SwapCommand.class,
      SoakCommand.class,
      DemoCommand.class,
      ServeCommand.class,
      CachesCommand.class,
      ModelsCommand.class,
      FetchCommand.class
    },
    footer = {
      "",
      "MODEL is a path to a .gguf file, a directory in MLX's layout or with one .gguf file in it,"
          + " a name that 'semantic models' lists, or a hub's repository:"
          + " org/name[@revision][:file.gguf]."
          + " Exit codes: 0 done, 1 failed, 2 wrong usage."
    })
final class SemanticCommand {
  static final String VERBOSE = "--verbose";

  private final Terminal terminal;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "Print one JSON object on standard output and nothing else there.")
  private boolean json;

  @Option(
      names = VERBOSE,
      scope = ScopeType.INHERIT,
      description = "Log what happens to standard error; show where an error came from.")
  private boolean verbose;

  SemanticCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  Terminal terminal() {
    return terminal;
  }

  boolean json() {
    return json;
  }

  boolean verbose() {
    return verbose;
  }

  /** What the jar's manifest says. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = SemanticCommand.class.getPackage().getImplementationVersion();
      return new String[] {"semantic " + (version == null ? "(not packaged)" : version)};
    }
  }
}
