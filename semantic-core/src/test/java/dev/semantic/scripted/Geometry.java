package dev.semantic.scripted;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.model.SamplingDefaults;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The scripted models.
 *
 * <p>{@code ALPHA} and its {@code TWIN} have one geometry and one tokenizer, but other weights;
 * {@code BETA} has more layers and heads, other tokens, and begins with a BOS token; {@code GAMMA}
 * has a sliding window of eight tokens in its second layer.
 *
 * <p>The rest is called {@code alpha}, too, and is {@code ALPHA} in all that its cache shows: once
 * it was quantised in another way, once its tokenizer was changed, once its chat template. What is
 * installed under that name is {@link ScriptedRuntime#install}'s to say; {@code ALPHA} at first.
 */
public enum Geometry {
  ALPHA(1, KvLayout.uniform(2, 1, 4), 0, 1_000_000),
  BETA(2, KvLayout.uniform(3, 2, 4), 7, 2_000_000),
  GAMMA(
      3,
      new KvLayout(List.of(new KvLayout.Layer(1, 4, 0), new KvLayout.Layer(1, 4, 8))),
      3,
      1_500_000),
  TWIN(4, KvLayout.uniform(2, 1, 4), 0, 1_000_000),
  REQUANTISED("alpha", 5, 'e'),
  RETOKENISED("alpha", 1, 'f'),
  RETEMPLATED("alpha", 1, '1');

  /** Tokens 0 to 299; 0 ends an answer, 1 is the BOS token. */
  static final int VOCABULARY = 300;

  static final int END = 0;
  static final int BOS = 1;
  static final int CONTEXT = 4096;

  private final String called;
  private final int weights;
  private final char fingerprint;

  @SuppressWarnings("ImmutableEnumChecker") // a record of an unmodifiable list
  private final KvLayout layout;

  private final int shift;
  private final long bytes;

  Geometry(int weights, KvLayout layout, int shift, long bytes) {
    this("", weights, (char) ('a' + weights - 1), layout, shift, bytes);
  }

  /** One that is laid out as {@code ALPHA} is. */
  Geometry(String called, int weights, char fingerprint) {
    this(called, weights, fingerprint, KvLayout.uniform(2, 1, 4), 0, 1_000_000);
  }

  Geometry(String called, int weights, char fingerprint, KvLayout layout, int shift, long bytes) {
    this.called = called;
    this.weights = weights;
    this.fingerprint = fingerprint;
    this.layout = layout;
    this.shift = shift;
    this.bytes = bytes;
  }

  public ModelId id() {
    return new ModelId(called.isEmpty() ? name().toLowerCase(Locale.ROOT) : called);
  }

  /** What stands for the weights. */
  int weights() {
    return weights;
  }

  KvLayout layout() {
    return layout;
  }

  /** The token of byte 0; the others follow. */
  int firstByteToken() {
    return 2 + shift;
  }

  /** What {@code text} is to this model. */
  int[] tokens(String text, boolean bos) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    IntStream body =
        IntStream.range(0, bytes.length).map(i -> firstByteToken() + (bytes[i] & 0xff));
    return bos ? IntStream.concat(IntStream.of(BOS), body).toArray() : body.toArray();
  }

  boolean beginsWithBos() {
    return this == BETA;
  }

  long bytes() {
    return bytes;
  }

  public ModelTag tag() {
    return new ModelTag(id().name(), String.valueOf(fingerprint).repeat(64));
  }

  public ModelSpec spec() {
    return spec(true);
  }

  ModelSpec spec(boolean chatTemplate) {
    return new ModelSpec(
        id(),
        tag(),
        "scripted",
        bytes / 4,
        16,
        VOCABULARY,
        CONTEXT,
        "F32",
        "float32",
        layout,
        KvPrecision.FLOAT32,
        new ByteSize(bytes),
        new ByteSize(bytes),
        new ByteSize(bytes / 100),
        chatTemplate,
        SamplingDefaults.NONE);
  }

  /** What this model says after {@code prompt}, computed from nothing but the tokens. */
  public List<Integer> answer(int[] prompt, int atMost) {
    return answer(prompt, atMost, false);
  }

  /** The same; past the end token if {@code ignoreEos}. */
  public List<Integer> answer(int[] prompt, int atMost, boolean ignoreEos) {
    KvState state = new KvState(this);
    state.append(prompt);
    List<Integer> said = new ArrayList<>();
    while (said.size() < atMost) {
      int token = state.next();
      said.add(token);
      if (token == END && !ignoreEos) {
        break;
      }
      state.append(token);
    }
    return said;
  }

  /** Whose tag this is. */
  public static Geometry of(ModelTag tag) {
    for (Geometry geometry : values()) {
      if (geometry.tag().equals(tag)) {
        return geometry;
      }
    }
    throw new IllegalArgumentException("No scripted model made this: " + tag);
  }
}
