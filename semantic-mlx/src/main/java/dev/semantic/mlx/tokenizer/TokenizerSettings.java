package dev.semantic.mlx.tokenizer;

import dev.semantic.io.Reason;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.template.ModelTemplates;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the files beside a {@code tokenizer.json} say: tokens with a purpose, those that end an
 * answer, the chat templates.
 *
 * @param named texts of tokens: {@code bos}, {@code eos}, {@code unknown}
 * @param addsBos whether {@code bos} is put in front of plain text, where that is said
 */
record TokenizerSettings(
    Map<String, String> named, boolean addsBos, Set<Integer> endTokens, Templates templates) {

  private static final String SETTINGS = "tokenizer_config.json";
  private static final String TEMPLATE = "chat_template.jinja";

  static TokenizerSettings of(ModelDirectory directory) {
    Map<String, @Nullable Object> settings = directory.jsonIfThere(SETTINGS);
    Map<String, String> named = new HashMap<>();
    name(named, "bos", settings.get("bos_token"));
    name(named, "eos", settings.get("eos_token"));
    name(named, "unknown", settings.get("unk_token"));
    return new TokenizerSettings(
        Map.copyOf(named),
        Boolean.TRUE.equals(settings.get("add_bos_token")),
        endTokens(directory),
        templates(directory, settings));
  }

  /** A text, or an object with the text in it. */
  private static void name(Map<String, String> named, String purpose, @Nullable Object given) {
    Object text = given instanceof Map<?, ?> token ? token.get("content") : given;
    if (text instanceof String found) {
      named.put(purpose, found);
    }
  }

  /** Of {@code generation_config.json} if it names any, else of {@code config.json}. */
  private static Set<Integer> endTokens(ModelDirectory directory) {
    Map<String, @Nullable Object> config = directory.json(ModelDirectory.CONFIG);
    Object text = config.get("text_config");
    for (Object ids :
        new @Nullable Object[] {
          directory.jsonIfThere("generation_config.json").get("eos_token_id"),
          config.get("eos_token_id"),
          text instanceof Map<?, ?> inner ? inner.get("eos_token_id") : null
        }) {
      Set<Integer> ends = new LinkedHashSet<>();
      for (Object id : ids instanceof List<?> many ? many : List.of(ids == null ? "" : ids)) {
        if (id instanceof Integer number && number >= 0) {
          ends.add(number);
        }
      }
      if (!ends.isEmpty()) {
        return ends;
      }
    }
    return Set.of();
  }

  private static Templates templates(
      ModelDirectory directory, Map<String, @Nullable Object> settings) {
    Optional<Path> own = directory.optional(TEMPLATE);
    try {
      ModelTemplates said = ModelTemplates.ofConfig(settings);
      Map<String, String> sources = new HashMap<>(said.sources());
      ModelTemplates.ofConfig(directory.jsonIfThere("chat_template.json"))
          .sources()
          .forEach(sources::putIfAbsent);
      if (own.isPresent()) {
        sources.putAll(ModelTemplates.ofFile(own.get()).sources());
      }
      return Templates.of(new ModelTemplates(sources, said.tokens()));
    } catch (TemplateException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "The chat template in %s cannot be read: %s"
              .formatted(own.map(Path::toString).orElse(SETTINGS), e.getMessage()),
          e);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "Cannot read %s: %s".formatted(own.map(Path::toString).orElse(SETTINGS), Reason.of(e)),
          e);
    }
  }
}
