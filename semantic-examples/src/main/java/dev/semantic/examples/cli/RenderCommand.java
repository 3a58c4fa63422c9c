package dev.semantic.examples.cli;

import dev.semantic.generate.Prompt;
import dev.semantic.mlx.ModelChat;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A conversation as a chat template renders it: a model's, or one in a file. */
@Command(
    name = "render",
    description = {
      "Shows a conversation as a model's template renders it, or as one in a file does.",
      "Messages may have any fields. With --template no model is needed."
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

  @Mixin private TemplateOptions template = new TemplateOptions();

  @Override
  Answer answer() throws IOException {
    Path own = template.file;
    if (model == null) {
      if (own == null) {
        throw misuse("Name a MODEL, or give a --template");
      }
      String text = template.render(own, file, this);
      if (!json()) {
        terminal().out().println(text); // to the last blank
      }
      return new Answer(Map.of("text", text), () -> "");
    }
    if (own != null) {
      throw misuse("A MODEL has its own template: leave out either it or --template");
    }
    return answer(new ModelId(model));
  }

  private Answer answer(ModelId id) throws IOException {
    Prompt.Chat conversation = template.chat(file, this);
    ModelCommand.fetchIfMissing(terminal(), id);
    try (ModelChat chat = ModelChat.open(PipModels.catalog().resolve(id))) {
      ModelChat.Rendered rendered = chat.render(conversation, template.clock());
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("text", rendered.text());
      fields.put("tokens", rendered.tokens());
      return new Answer(
          fields, () -> rendered.text() + "\ntokens: " + TokenList.toString(rendered.tokens()));
    }
  }
}
