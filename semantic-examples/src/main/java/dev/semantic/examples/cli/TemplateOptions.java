package dev.semantic.examples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.template.ModelTemplates;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a chat template is given, with the names that transformers uses. */
final class TemplateOptions {
  @Option(
      names = "--template",
      paramLabel = "FILE",
      description =
          "A Jinja template, a tokenizer_config.json, or a directory with chat_template.jinja"
              + " or that; in the place of a MODEL.")
  @Nullable Path file;

  @Option(
      names = "--tools",
      paramLabel = "FILE.json",
      description = "A JSON array of tools, or an object that has it as its 'tools'.")
  private @Nullable Path tools;

  @Option(names = "--bos", paramLabel = "S", description = "The text of bos_token.")
  private @Nullable String bos;

  @Option(names = "--eos", paramLabel = "S", description = "The text of eos_token.")
  private @Nullable String eos;

  @Option(
      names = "--date",
      paramLabel = "YYYY-MM-DD",
      description = "The day that the template takes for today.")
  private @Nullable LocalDate date;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description =
          "A further value: JSON where it is JSON, else a text. For example"
              + " enable_thinking=false.")
  private List<String> settings = new ArrayList<>();

  @Option(
      names = "--no-generation-prompt",
      description = "Leave out what asks the model to answer.")
  private boolean withoutPrompt;

  /**
   * Renders with a template in a file.
   *
   * @throws ModelException if the template cannot be read or refuses the values
   */
  String render(Path template, Path messages, Subcommand command) throws IOException {
    Map<String, @Nullable Object> given = values(messages, command);
    ModelTemplates templates = templates(template);
    Map<String, @Nullable Object> values = new LinkedHashMap<>(templates.tokens());
    values.putAll(given);
    try {
      return templates
          .choose(values.get("tools") != null)
          .orElseThrow(
              () ->
                  new ModelException(
                      ModelException.Kind.NO_CHAT_TEMPLATE, template + " holds no chat template"))
          .render(values, clock());
    } catch (TemplateException e) {
      throw new ModelException(
          ModelException.Kind.INVALID, "%s: %s".formatted(template, e.getMessage()), e);
    }
  }

  /**
   * What is given to the template.
   *
   * @throws picocli.CommandLine.ParameterException if an option makes no sense
   */
  Map<String, @Nullable Object> values(Path messages, Subcommand command) throws IOException {
    Map<String, @Nullable Object> further = settings(settings, command);
    MessagesFile.Conversation conversation = MessagesFile.readAsIs(messages);
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("messages", conversation.messages());
    values.put("tools", tools == null ? conversation.tools() : MessagesFile.readTools(tools));
    values.put("documents", null);
    values.put("add_generation_prompt", !withoutPrompt);
    put(values, "bos_token", bos);
    put(values, "eos_token", eos);
    values.putAll(further);
    return values;
  }

  /**
   * The conversation that a model is to be given: what {@code generate} would compute.
   *
   * @throws picocli.CommandLine.ParameterException if an option makes no sense
   */
  Prompt.Chat chat(Path messages, Subcommand command) throws IOException {
    Prompt.Chat chat = MessagesFile.chat(messages, tools);
    chat = with(chat, settings, command);
    chat = withoutPrompt ? chat.with("add_generation_prompt", false) : chat;
    chat = bos == null ? chat : chat.with("bos_token", bos);
    chat = eos == null ? chat : chat.with("eos_token", eos);
    return date == null ? chat : chat.withToday(date);
  }

  /** With further values for the template. */
  static Prompt.Chat with(Prompt.Chat chat, List<String> settings, Subcommand command) {
    Prompt.Chat more = chat;
    for (Map.Entry<String, @Nullable Object> each : settings(settings, command).entrySet()) {
      try {
        more = more.with(each.getKey(), each.getValue());
      } catch (IllegalArgumentException e) {
        throw command.misuse("--set %s: %s".formatted(each.getKey(), e.getMessage()));
      }
    }
    return more;
  }

  private static ModelTemplates templates(Path template) throws IOException {
    if (Files.isDirectory(template)) {
      return ModelTemplates.ofDirectory(template);
    }
    return template.toString().endsWith(".json")
        ? ModelTemplates.ofConfig(template)
        : ModelTemplates.ofFile(template);
  }

  /** What the template takes for now. */
  Clock clock() {
    return date == null
        ? Clock.system(ZoneId.systemDefault())
        : Clock.fixed(date.atStartOfDay(ZoneOffset.UTC).toInstant(), ZoneOffset.UTC);
  }

  private static void put(
      Map<String, @Nullable Object> values, String name, @Nullable String value) {
    if (value != null) {
      values.put(name, value);
    }
  }

  private static Map<String, @Nullable Object> settings(List<String> settings, Subcommand command) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      if (equals < 1) {
        throw command.misuse("--set needs NAME=VALUE, not '" + setting + "'");
      }
      values.put(setting.substring(0, equals), value(setting.substring(equals + 1)));
    }
    return values;
  }

  private static @Nullable Object value(String text) {
    try {
      return text.isBlank() ? text : MessagesFile.value(text);
    } catch (JsonProcessingException e) {
      return text;
    }
  }
}
