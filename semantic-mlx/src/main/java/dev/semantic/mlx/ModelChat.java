package dev.semantic.mlx;

import dev.semantic.generate.Prompt;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.tokenizer.ChatTokenizer;
import dev.semantic.mlx.tokenizer.PendingCodec;
import dev.semantic.mlx.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template and tokenizer without the model: shows what a conversation is computed
 * as. Needs MLX for nothing. Any thread.
 */
public final class ModelChat implements AutoCloseable {
  private final ChatTokenizer codec;

  private ModelChat(ChatTokenizer codec) {
    this.codec = codec;
  }

  /** A conversation as a model reads it. */
  @SuppressWarnings("ArrayRecordComponent") // made for whoever asked
  public record Rendered(String text, int[] tokens) {}

  /**
   * Reads headers and tokenizer.
   *
   * @param model a model's file or directory
   * @throws dev.semantic.model.ModelException if it cannot be loaded
   */
  public static ModelChat open(Path model) {
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      return new ModelChat(text(checkpoint).get());
    }
  }

  static PendingCodec text(Checkpoint checkpoint) {
    return ModelDirectory.isOne(checkpoint.path())
        ? Tokenizers.open(ModelDirectory.of(checkpoint.path()))
        : Tokenizers.open(checkpoint.path(), checkpoint.metadata());
  }

  /**
   * A conversation as a model reads it when it is asked to answer it: the same text and the same
   * tokens.
   *
   * @param clock what the template takes for now, unless the conversation says what today is
   * @throws dev.semantic.model.ModelException if there is no template, or it refuses the
   *     conversation
   */
  public Rendered render(Prompt.Chat chat, Clock clock) {
    ChatTokenizer.Rendered rendered = codec.render(chat, clock);
    return new Rendered(rendered.text(), rendered.tokens());
  }

  /**
   * What a template makes of any values, conversation or not, for whoever looks into a template.
   * Renders with the template that the model has for it: of several named ones {@code tool_use}
   * where there are tools. What looks like a special token in a message stays text among the
   * tokens, unless the template itself looks for it there.
   *
   * @param values by the names that transformers uses: {@code messages}, {@code tools}, {@code
   *     documents}, {@code add_generation_prompt}, and any others that the template knows
   * @param clock what the template takes for now
   * @throws dev.semantic.model.ModelException if there is no template, or it refuses the values
   */
  public Rendered render(Map<String, ? extends @Nullable Object> values, Clock clock) {
    ChatTokenizer.Rendered rendered = codec.render(values, clock);
    return new Rendered(rendered.text(), rendered.tokens());
  }

  @Override
  public void close() {
    codec.close();
  }
}
