package dev.semantic.examples.cli;

import dev.semantic.chat.ChatMessage;
import dev.semantic.model.ModelId;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A conversation as the model's chat template renders it. */
@Command(name = "render", description = "Shows a conversation as the model's template renders it.")
final class RenderCommand extends ModelCommand {
  @Option(
      names = "--messages",
      required = true,
      paramLabel = "FILE.json",
      description = "A JSON array of objects with role and content.")
  private Path file = Path.of("");

  @Override
  Answer answer(ModelRuntime runtime, ModelId model) throws IOException {
    List<ChatMessage> messages = MessagesFile.read(file);
    try (PreparedModel prepared = runtime.prepare(model)) {
      String text = prepared.text().renderChat(messages);
      int[] tokens = prepared.text().encodeChat(messages);
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("text", text);
      fields.put("tokens", tokens);
      return new Answer(fields, () -> text + "\ntokens: " + TokenList.toString(tokens));
    }
  }
}
