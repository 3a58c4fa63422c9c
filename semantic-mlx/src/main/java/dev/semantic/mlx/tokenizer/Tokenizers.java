package dev.semantic.mlx.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/** Makes tokenizers. */
public final class Tokenizers {
  /** Part of the cached file's name: raise it when {@link TokenizerJson} writes otherwise. */
  private static final int FORMAT = 3;

  private static final Map<String, String> OPTIONS =
      Map.of(
          "addSpecialTokens",
          "false",
          "truncation",
          "false",
          "padding",
          "false",
          "modelMaxLength",
          "2147483647");

  private Tokenizers() {}

  /**
   * The tokenizer and chat template that a GGUF file carries. Building it from the metadata of a
   * large vocabulary takes seconds, so the result is kept in the user's cache; to read it from
   * there takes most of a second, so that is left to whoever asks the result. That needs the file
   * no more, and may throw a {@link ModelException}, too.
   *
   * @throws ModelException if there is none, or of an unknown kind
   */
  public static PendingCodec open(Path file, Map<String, Object> metadata) {
    GgufVocabulary vocabulary = new GgufVocabulary(file, metadata);
    TokenizerJson json = new TokenizerJson(vocabulary);
    Templates templates;
    try {
      templates = Templates.of(vocabulary.chatTemplates());
    } catch (TemplateException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "The chat template in %s cannot be read: %s".formatted(file, e.getMessage()),
          e);
    }
    return new PendingCodec(
        templates.usual().isPresent(),
        templates.facts(vocabulary.endTokens()),
        () -> {
          KeptTokenizer kept =
              new KeptTokenizer(UserCache.ofUser().tokenizers(), fingerprint(vocabulary));
          return new HfTokenizer(
              file,
              vocabulary,
              new TextTokenizer(tokenizer(kept, json), vocabulary.addsSpace(), ""),
              templates);
        });
  }

  /**
   * The tokenizer and chat template that lie in a directory; where there is no tokenizer, tokens
   * alone. To make a large one of what was read takes half a second, so that is left to whoever
   * asks the result.
   *
   * @throws ModelException if there is one that cannot be used
   */
  public static PendingCodec open(ModelDirectory directory) {
    TokenizerSettings settings = TokenizerSettings.of(directory);
    Optional<Path> file = directory.optional("tokenizer.json");
    if (file.isEmpty()) {
      return new PendingCodec(
          false,
          Templates.NONE.facts(settings.endTokens()),
          () -> new NoTokenizer(directory.path(), settings.endTokens()));
    }
    TokenizerFile read = TokenizerFile.read(file.get());
    return new PendingCodec(
        settings.templates().usual().isPresent(),
        settings.templates().facts(settings.endTokens()),
        () -> {
          JsonVocabulary vocabulary =
              new JsonVocabulary(
                  read.vocabulary(),
                  read.added(),
                  read.outside(),
                  read.traits(),
                  settings.named(),
                  settings.addsBos(),
                  settings.endTokens());
          return new HfTokenizer(
              directory.path(),
              vocabulary,
              new TextTokenizer(tokenizer(file.get(), read), vocabulary.addsSpace(), read.anchor()),
              settings.templates());
        });
  }

  private static HuggingFaceTokenizer tokenizer(Path file, TokenizerFile read) {
    TokenizerLibrary.load();
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(read.withoutSpecial()), OPTIONS);
    } catch (IOException | RuntimeException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "The tokenizer in %s cannot be used: %s".formatted(file, e.getMessage()),
          e);
    }
  }

  private static HuggingFaceTokenizer tokenizer(KeptTokenizer kept, TokenizerJson json) {
    TokenizerLibrary.load();
    try {
      Optional<byte[]> known = kept.read();
      byte[] text = known.isPresent() ? known.get() : made(json);
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(text), OPTIONS);
      if (known.isEmpty()) {
        kept.write(text);
      }
      return tokenizer;
    } catch (IOException | RuntimeException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "The tokenizer cannot be made: " + e.getMessage(), e);
    }
  }

  private static byte[] made(TokenizerJson json) throws IOException {
    ByteArrayOutputStream made = new ByteArrayOutputStream();
    json.write(made);
    return made.toByteArray();
  }

  /** Of all that the tokenizer is made of, each with its length: no two files share one. */
  static String fingerprint(GgufVocabulary vocabulary) {
    MessageDigest digest = Sha256.digest();
    boolean whole = vocabulary.byteLevel() && PreTokenizers.of(vocabulary).wholeFirst();
    add(digest, FORMAT + (whole ? " whole first" : ""));
    add(digest, vocabulary.model());
    add(digest, String.valueOf(vocabulary.pre()));
    add(digest, Integer.toString(vocabulary.tokens().size()));
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      add(digest, vocabulary.tokens().get(id));
      digest.update((byte) (vocabulary.isSpecial(id) ? 3 : vocabulary.isUserDefined(id) ? 4 : 0));
    }
    if (vocabulary.model().equals("gpt2")) {
      vocabulary.merges().forEach(m -> add(digest, m));
    } else {
      vocabulary.scores().forEach(s -> add(digest, s.toString()));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** UTF-16, because in UTF-8 all lone surrogates are the same question mark. */
  private static void add(MessageDigest digest, String text) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(text.length()).array());
    digest.update(text.getBytes(StandardCharsets.UTF_16BE));
  }
}
