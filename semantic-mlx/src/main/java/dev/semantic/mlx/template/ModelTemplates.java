package dev.semantic.mlx.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.files.JsonText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The chat templates that a model comes with, and the special tokens they name. Most models have
 * one template; some have another for conversations with tools. Nothing is parsed before it is
 * chosen: a template that nobody uses may be broken.
 *
 * @param sources by name; {@code default} and {@code tool_use} are those that are chosen
 * @param tokens the texts of {@code bos_token}, {@code eos_token} and their like, by these names
 */
public record ModelTemplates(Map<String, String> sources, Map<String, String> tokens) {
  /** What the template is called that is meant where none is named. */
  public static final String DEFAULT = "default";

  private static final String WITH_TOOLS = "tool_use";
  private static final String FILE = "chat_template.jinja";
  private static final String JSON_FILE = "chat_template.json";
  private static final String MORE_FILES = "additional_chat_templates";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String GGUF = "tokenizer.chat_template";
  private static final long LARGEST = 16L << 20;

  /** Copies. */
  public ModelTemplates {
    sources = Map.copyOf(sources);
    tokens = Map.copyOf(tokens);
  }

  /**
   * One template in a file of its own.
   *
   * @throws IOException if it cannot be read
   */
  public static ModelTemplates ofFile(Path file) throws IOException {
    return new ModelTemplates(Map.of(DEFAULT, read(file)), Map.of());
  }

  /**
   * What lies in a model's directory: {@code chat_template.jinja} and those in {@code
   * additional_chat_templates} come before what {@code tokenizer_config.json} says, and that before
   * {@code chat_template.json}.
   *
   * @throws IOException if a file cannot be read, or is not what it should be
   */
  public static ModelTemplates ofDirectory(Path directory) throws IOException {
    Path config = directory.resolve(CONFIG);
    ModelTemplates said =
        Files.isRegularFile(config) ? ofConfig(config) : new ModelTemplates(Map.of(), Map.of());
    Map<String, String> sources = new LinkedHashMap<>(said.sources());
    Path beside = directory.resolve(JSON_FILE);
    if (Files.isRegularFile(beside)) {
      ofConfig(beside).sources().forEach(sources::putIfAbsent);
    }
    Path file = directory.resolve(FILE);
    if (Files.isRegularFile(file)) {
      sources.put(DEFAULT, read(file));
    }
    if (Files.isDirectory(directory.resolve(MORE_FILES))) {
      try (DirectoryStream<Path> more =
          Files.newDirectoryStream(directory.resolve(MORE_FILES), "[!.]*.jinja")) {
        for (Path path : more) {
          String name = String.valueOf(path.getFileName());
          sources.put(name.substring(0, name.length() - ".jinja".length()), read(path));
        }
      }
    }
    return new ModelTemplates(sources, said.tokens());
  }

  /**
   * What a {@code tokenizer_config.json} says.
   *
   * @throws IOException if it cannot be read, or is no JSON object
   */
  public static ModelTemplates ofConfig(Path config) throws IOException {
    try {
      Map<String, Object> said =
          new ObjectMapper(JsonText.WHOLE).readValue(read(config), new TypeReference<>() {});
      return ofConfig(said == null ? Map.of() : said);
    } catch (JsonProcessingException e) {
      throw new IOException("%s: %s".formatted(config, e.getOriginalMessage()), e);
    }
  }

  /** What a {@code tokenizer_config.json} says that was read already. */
  public static ModelTemplates ofConfig(Map<String, ? extends @Nullable Object> config) {
    Map<String, String> tokens = new LinkedHashMap<>();
    config.forEach(
        (name, value) -> {
          Object text = value instanceof Map<?, ?> token ? token.get("content") : value;
          if (name.endsWith("_token") && text instanceof String token) {
            tokens.put(name, token);
          }
        });
    return new ModelTemplates(named(config.get("chat_template")), tokens);
  }

  /** A text, or a list of templates with names, or a mapping of names to templates. */
  private static Map<String, String> named(@Nullable Object given) {
    Map<String, String> sources = new LinkedHashMap<>();
    switch (given) {
      case String text -> sources.put(DEFAULT, text);
      case List<?> list ->
          list.forEach(
              each -> {
                if (each instanceof Map<?, ?> one
                    && one.get("name") instanceof String name
                    && one.get("template") instanceof String template) {
                  sources.put(name, template);
                }
              });
      case Map<?, ?> map ->
          map.forEach(
              (name, template) -> {
                if (name instanceof String text && template instanceof String source) {
                  sources.put(text, source);
                }
              });
      case null, default -> {}
    }
    return sources;
  }

  /**
   * What a GGUF file's metadata say: {@code tokenizer.chat_template}, and with a name behind it.
   *
   * @param tokens as in {@link #tokens()}; a GGUF has them by number
   */
  public static ModelTemplates ofGguf(
      Map<String, ? extends @Nullable Object> metadata, Map<String, String> tokens) {
    Map<String, String> sources = new LinkedHashMap<>();
    metadata.forEach(
        (key, value) -> {
          if (value instanceof String template && key.equals(GGUF)) {
            sources.put(DEFAULT, template);
          } else if (value instanceof String template && key.startsWith(GGUF + ".")) {
            sources.put(key.substring(GGUF.length() + 1), template);
          }
        });
    return new ModelTemplates(sources, tokens);
  }

  /**
   * The template for a conversation; nothing if the model has none (a base model).
   *
   * @throws TemplateException if it has a syntax error, or if none of several is the default
   */
  public Optional<ChatTemplate> choose(boolean tools) {
    String source = tools ? sources.get(WITH_TOOLS) : null;
    source = source == null ? sources.get(DEFAULT) : source;
    if (source == null && !sources.isEmpty()) {
      throw new TemplateException(
          "None of the chat templates is called default: "
              + sources.keySet().stream().sorted().toList());
    }
    return Optional.ofNullable(source).map(ChatTemplate::parse);
  }

  private static String read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a directory, not a file");
    }
    if (Files.size(file) > LARGEST) {
      throw new IOException(
          "%s has %d bytes, which is too much for a chat template"
              .formatted(file, Files.size(file)));
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not UTF-8", e);
    }
  }
}
