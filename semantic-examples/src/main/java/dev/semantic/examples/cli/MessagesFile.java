package dev.semantic.examples.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Tool;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conversation in a file: a JSON array of {@code {"role": …, "content": …}}, or an object that
 * has such an array as its {@code messages}.
 */
final class MessagesFile {
  /** A message is as long as whoever asks wants it to be. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private MessagesFile() {}

  /**
   * Reads the messages.
   *
   * @throws IOException if the file can't be read or is no such JSON; the message names the place
   */
  static List<ChatMessage> read(Path file) throws IOException {
    JsonNode messages = parse(file);
    if (messages.isObject() && messages.has("messages")) {
      messages = messages.get("messages");
    }
    if (!messages.isArray() || messages.isEmpty()) {
      throw new IOException(
          file
              + " holds no messages: write a JSON array like [{\"role\": \"user\","
              + " \"content\": \"Hello\"}]");
    }
    List<ChatMessage> read = new ArrayList<>();
    for (JsonNode message : messages) {
      String place = "%s, message %d".formatted(file, read.size() + 1);
      if (!message.isObject()) {
        throw new IOException(place + " must be an object with role and content");
      }
      try {
        read.add(ChatMessage.of(object(message)));
      } catch (IllegalArgumentException e) {
        throw new IOException("%s: %s".formatted(place, e.getMessage()), e);
      }
    }
    return read;
  }

  /**
   * Reads a conversation with its tools, as {@link #read} reads its messages.
   *
   * @param tools a file of its own; null for those that the first file may have
   * @throws IOException if a file can't be read, or holds no such thing; the message names the
   *     place
   */
  static Prompt.Chat chat(Path file, @Nullable Path tools) throws IOException {
    List<ChatMessage> messages = read(file);
    List<Tool> all =
        tools == null ? tools(readAsIs(file).tools(), file) : tools(readTools(tools), tools);
    try {
      return new Prompt.Chat(messages).withTools(all);
    } catch (IllegalArgumentException e) {
      throw new IOException("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /**
   * Reads tools, as {@link #readTools} finds them.
   *
   * @throws IOException if one is none; the message names the place
   */
  static List<Tool> tools(Path file) throws IOException {
    return tools(readTools(file), file);
  }

  private static List<Tool> tools(@Nullable List<?> said, Path file) throws IOException {
    List<Tool> all = new ArrayList<>();
    for (Object each : said == null ? List.of() : said) {
      try {
        all.add(Tool.of(object(MAPPER.valueToTree(each))));
      } catch (IllegalArgumentException e) {
        throw new IOException("%s, tool %d: %s".formatted(file, all.size() + 1, e.getMessage()), e);
      }
    }
    return all;
  }

  private static Map<String, @Nullable Object> object(JsonNode node) {
    return MAPPER.convertValue(node, new TypeReference<Map<String, @Nullable Object>>() {});
  }

  /**
   * A conversation with all its fields, for a template that may use any of them.
   *
   * @param tools null where the file has none
   */
  record Conversation(List<?> messages, @Nullable List<?> tools) {}

  /**
   * Reads messages as they are.
   *
   * @throws IOException as {@link #read} does
   */
  static Conversation readAsIs(Path file) throws IOException {
    JsonNode root = parse(file);
    JsonNode messages = root.isObject() && root.has("messages") ? root.get("messages") : root;
    if (!messages.isArray()) {
      throw new IOException(
          file
              + " holds no messages: write a JSON array like [{\"role\": \"user\","
              + " \"content\": \"Hello\"}]");
    }
    JsonNode tools = root.isObject() ? root.get("tools") : null;
    return new Conversation(
        list(messages), tools == null || tools.isNull() ? null : tools(tools, file));
  }

  /**
   * Reads tools: an array, or an object with one.
   *
   * @throws IOException if there are none
   */
  static List<?> readTools(Path file) throws IOException {
    JsonNode root = parse(file);
    return tools(root.isObject() && root.has("tools") ? root.get("tools") : root, file);
  }

  private static List<?> tools(JsonNode tools, Path file) throws IOException {
    if (!tools.isArray()) {
      throw new IOException(file + " holds no tools: they are a JSON array");
    }
    return list(tools);
  }

  private static List<?> list(JsonNode array) {
    return MAPPER.convertValue(array, new TypeReference<List<@Nullable Object>>() {});
  }

  /** Any JSON value. */
  static @Nullable Object value(String json) throws JsonProcessingException {
    return MAPPER.readValue(json, Object.class);
  }

  private static JsonNode parse(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a directory, not a JSON file");
    }
    try {
      return MAPPER.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new IOException("%s, line %d: %s".formatted(file, line, e.getOriginalMessage()), e);
    } catch (CharConversionException e) {
      throw new IOException("%s is not UTF-8: %s".formatted(file, e.getMessage()), e);
    }
  }
}
