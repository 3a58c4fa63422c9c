package dev.semantic.examples.cli;

import dev.semantic.chat.ChatMessage;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A conversation as a chat template renders it: a model's, or one in a file. */
@Command(
    name = "render",
    description = {
      "Shows a conversation as a model's template renders it, or as one in a file does.",
      "With --template no model is needed, and messages may have any fields."
    })
final class RenderCommand extends Subcommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "A .gguf file, a directory with one in it, or a name of 'semantic models'.")
  private @Nullable String model;

  @Option(
      names = "--messages",
      required = true,
      paramLabel = "FILE.json",
      description = "A JSON array of messages, or an object that has it as its 'messages'.")
  private Path file = Path.of("");

  @ArgGroup(exclusive = false, heading = "With a template instead of a MODEL:%n")
  private @Nullable TemplateOptions template;

  @Override
  Answer answer() throws IOException {
    if (model == null) {
      if (template == null || template.file == null) {
        throw misuse("Name a MODEL, or give a --template");
      }
      String text = template.render(template.file, file, this);
      if (!json()) {
        terminal().out().println(text); // to the last blank
      }
      return new Answer(Map.of("text", text), () -> "");
    }
    if (template != null) {
      throw misuse(
          "A MODEL has its own template: leave out either it or --template and its options");
    }
    return answer(new ModelId(model));
  }

  private Answer answer(ModelId id) throws IOException {
    ModelCommand.fetchIfMissing(terminal(), id);
    List<ChatMessage> messages = MessagesFile.read(file);
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(id)) {
      String text = prepared.text().renderChat(messages);
      int[] tokens = prepared.text().encodeChat(messages);
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("text", text);
      fields.put("tokens", tokens);
      return new Answer(fields, () -> text + "\ntokens: " + TokenList.toString(tokens));
    }
  }
}
