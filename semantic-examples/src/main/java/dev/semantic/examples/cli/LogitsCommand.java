package dev.semantic.examples.cli;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.Tokenizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What a model makes of some tokens: a number for each token that could come next. */
@Command(name = "logits", description = "Shows the logits after a token, for the whole vocabulary.")
final class LogitsCommand extends ModelCommand {
  private static final int PREFILL_CHUNK = 512;
  private static final int SHOWN = 10;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "LIST",
      converter = TokenList.Converter.class,
      description = "Tokens, for example 1,2,3.")
  private TokenList tokens = new TokenList();

  @Option(
      names = "--position",
      paramLabel = "K",
      description = "After which token, counted from 0; default: the last.")
  private @Nullable Integer position;

  @Override
  Answer answer(ModelRuntime runtime, ModelId model) {
    int last = tokens.tokens().length - 1;
    int at = position == null ? last : position;
    if (at < 0 || at > last) {
      throw misuse("--position must be 0 to %d; it is %d".formatted(last, at));
    }
    try (PreparedModel prepared = runtime.prepare(model)) {
      ModelSpec spec = prepared.spec();
      int[] prefix = Arrays.copyOf(tokens.of(spec), at + 1);
      if (prefix.length > spec.contextLength()) {
        throw new ModelException(
            ModelException.Kind.INVALID,
            "%d tokens are more than the context of %s, %d"
                .formatted(prefix.length, spec.id(), spec.contextLength()));
      }
      float[] logits = finite(compute(prepared, prefix), model);
      String shown = json() ? "" : likeliest(logits, prepared.text());
      return new Answer(Map.of("logits", logits), () -> shown);
    }
  }

  private float[] compute(PreparedModel prepared, int[] prefix) {
    float[] logits = {};
    try (LoadedModel loaded = load(prepared);
        Sequence sequence = loaded.open()) {
      for (int start = 0; start < prefix.length; start += PREFILL_CHUNK) {
        int end = Math.min(prefix.length, start + PREFILL_CHUNK);
        int[] part = Arrays.copyOfRange(prefix, start, end);
        Chunk chunk = new Chunk(sequence, part, end == prefix.length);
        logits = loaded.forward(List.of(chunk)).getFirst();
      }
    }
    return logits;
  }

  /** JSON has no word for infinity. */
  private static float[] finite(float[] logits, ModelId model) {
    for (float logit : logits) {
      if (!Float.isFinite(logit)) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s computes %s: its weights are damaged, or too large for the precision in use"
                .formatted(model, logit));
      }
    }
    return logits;
  }

  private static String likeliest(float[] logits, Tokenizer text) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparingDouble(token -> -logits[token]))
        .limit(SHOWN)
        .map(
            token ->
                "%8d  %9.4f  %s".formatted(token, logits[token], printable(shown(text, token))))
        .collect(Collectors.joining("\n"));
  }

  /** Empty where the model has no tokenizer. */
  private static String shown(Tokenizer text, int token) {
    Tokenizer.TokenStream stream = text.stream(true);
    return stream.next(token) + stream.rest();
  }

  private static String printable(String text) {
    return "'" + text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'";
  }
}
