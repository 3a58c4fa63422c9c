package dev.semantic.examples.cli;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a conversation has beside its messages. */
final class ChatOptions {
  @Option(
      names = "--tools",
      paramLabel = "FILE.json",
      description = "A JSON array of tools, or an object that has it as its 'tools'.")
  private @Nullable Path tools;

  @Option(
      names = "--tool-choice",
      paramLabel = "auto|none|required|NAME",
      description = "Whether the model may, must not or must call a tool, or the one to call.")
  private @Nullable String choice;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description =
          "A value for the chat template: JSON where it is JSON, else a text. For example"
              + " enable_thinking=false.")
  private List<String> settings = new ArrayList<>();

  /** Whether any of them was given. */
  boolean isEmpty() {
    return tools == null && choice == null && settings.isEmpty();
  }

  /**
   * A conversation in a file, with these.
   *
   * @throws picocli.CommandLine.ParameterException if an option makes no sense
   */
  Prompt.Chat chat(Path messages, Subcommand command) throws IOException {
    return with(MessagesFile.chat(messages, tools), command);
  }

  /**
   * What makes a conversation of messages that are not known yet.
   *
   * @throws picocli.CommandLine.ParameterException if an option makes no sense
   */
  UnaryOperator<Prompt.Chat> forLater(Subcommand command) throws IOException {
    List<Tool> all = tools == null ? List.of() : MessagesFile.tools(tools);
    Prompt.Chat shown =
        with(new Prompt.Chat(List.of(ChatMessage.user("?"))).withTools(all), command);
    return chat -> {
      Prompt.Chat more = chat.withTools(shown.tools()).withChoice(shown.choice());
      for (Map.Entry<String, @Nullable Object> each : shown.variables().entrySet()) {
        more = more.with(each.getKey(), each.getValue());
      }
      return more;
    };
  }

  private Prompt.Chat with(Prompt.Chat chat, Subcommand command) {
    Prompt.Chat set = TemplateOptions.with(chat, settings, command);
    try {
      return choice == null ? set : set.withChoice(ToolChoice.of(choice));
    } catch (IllegalArgumentException e) {
      throw command.misuse("--tool-choice: " + e.getMessage());
    }
  }
}
