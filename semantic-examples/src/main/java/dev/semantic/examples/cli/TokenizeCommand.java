package dev.semantic.examples.cli;

import dev.semantic.model.ModelId;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The tokens of a plain text. */
@Command(name = "tokenize", description = "Shows the tokens of a text.")
final class TokenizeCommand extends ModelCommand {
  @Parameters(
      index = "1",
      paramLabel = "TEXT",
      description = "Plain text; special tokens in it count as such, as with 'generate --prompt'.")
  private String text = "";

  @Option(
      names = "--bos",
      description = "Put the beginning-of-sequence token first, where the model has one.")
  private boolean bos;

  @Override
  Answer answer(ModelRuntime runtime, ModelId model) {
    try (PreparedModel prepared = runtime.prepare(model)) {
      int[] tokens = prepared.text().encode(text, bos);
      return new Answer(Map.of("tokens", tokens), () -> TokenList.toString(tokens));
    }
  }
}
