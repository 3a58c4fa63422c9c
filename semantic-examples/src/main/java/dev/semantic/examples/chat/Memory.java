package dev.semantic.examples.chat;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.chat.ChatMessage;
import dev.semantic.examples.files.OwnersFile;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was said so far; in a file beside the agent's cache, if there is one. */
final class Memory {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int LONGEST_NAME = 100;

  private final @Nullable Path file;
  private final List<ChatMessage> messages;

  private Memory(@Nullable Path file, List<ChatMessage> messages) {
    this.file = file;
    this.messages = messages;
  }

  /**
   * What an agent remembers.
   *
   * @param cacheDirectory null to forget everything at the end
   * @throws IOException if there is a conversation that cannot be read
   */
  static Memory of(String agent, @Nullable Path cacheDirectory) throws IOException {
    if (cacheDirectory == null) {
      return new Memory(null, new ArrayList<>());
    }
    Path directory = cacheDirectory.resolve("conversations");
    Files.createDirectories(directory);
    String name = URLEncoder.encode(agent, StandardCharsets.UTF_8).replace("*", "%2A");
    if (name.length() > LONGEST_NAME || name.startsWith(".")) {
      name = "agent-" + Integer.toHexString(agent.hashCode()) + "-" + agent.length();
    }
    Path file = directory.resolve(name + ".json");
    return new Memory(file, new ArrayList<>(read(file)));
  }

  private static List<ChatMessage> read(Path file) throws IOException {
    try {
      return Files.exists(file)
          ? JSON.readValue(file.toFile(), new TypeReference<List<ChatMessage>>() {})
          : List.of();
    } catch (JacksonException e) {
      throw new IOException(
          "%s does not hold a conversation; remove it to begin anew".formatted(file), e);
    }
  }

  List<ChatMessage> messages() {
    return List.copyOf(messages);
  }

  void add(ChatMessage message) {
    messages.add(message);
  }

  /** What got no answer was not said. */
  void takeBack() {
    messages.removeLast();
  }

  /** Only the owner may read what was said. */
  void keep() throws IOException {
    if (file == null) {
      return;
    }
    OwnersFile.replace(file, messages);
  }
}
