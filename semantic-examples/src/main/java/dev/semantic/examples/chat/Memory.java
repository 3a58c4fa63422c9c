package dev.semantic.examples.chat;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.generate.ChatMessage;
import dev.semantic.kv.AgentId;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What was said so far; in a file beside the agent's cache, if there is one. */
final class Memory {
  /** {@link AgentRecords} says how much there may be; whatever it kept is read again. */
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .build();

  private final AgentId agent;
  private final @Nullable AgentRecords records;
  private final List<ChatMessage> messages;
  private final @Nullable Path former;
  private final List<String> notices;

  private Memory(
      AgentId agent,
      @Nullable AgentRecords records,
      List<ChatMessage> messages,
      @Nullable Path former,
      List<String> notices) {
    this.agent = agent;
    this.records = records;
    this.messages = messages;
    this.former = former;
    this.notices = notices;
  }

  /**
   * What an agent remembers.
   *
   * @param cacheDirectory null to forget everything at the end
   * @param key encrypts it
   * @throws IOException if there is a conversation that cannot be read
   */
  static Memory of(AgentId agent, @Nullable Path cacheDirectory, Optional<CacheKey> key)
      throws IOException {
    if (cacheDirectory == null) {
      return new Memory(agent, null, new ArrayList<>(), null, List.of());
    }
    Conversations all = new Conversations(cacheDirectory);
    AgentRecords records = all.records(key);
    Optional<String> said = records.read(agent);
    List<String> notices = new ArrayList<>();
    Path former = said.isPresent() ? null : all.former(agent, key, notices).orElse(null);
    if (said.isEmpty() && former == null) {
      all.otherwiseKept(agent, key).ifPresent(notices::add);
    }
    List<ChatMessage> messages =
        former == null
            ? said.isEmpty() ? List.of() : parsed(records.file(agent), said.get())
            : parsed(former, Files.readString(former));
    return new Memory(agent, records, new ArrayList<>(messages), former, notices);
  }

  private static List<ChatMessage> parsed(Path file, String json) throws IOException {
    try {
      return JSON
          .readValue(json, new TypeReference<List<Map<String, @Nullable Object>>>() {})
          .stream()
          .map(ChatMessage::of)
          .toList();
    } catch (JacksonException | IllegalArgumentException e) {
      throw new IOException(
          "%s does not hold a conversation; remove it to begin anew".formatted(file), e);
    }
  }

  /** What a person should know about how it was found, or was not. */
  List<String> notices() {
    return notices;
  }

  List<ChatMessage> messages() {
    return List.copyOf(messages);
  }

  void add(ChatMessage message) {
    messages.add(message);
  }

  /** What got no answer was not said: so many messages are left. */
  void goBackTo(int count) {
    messages.subList(count, messages.size()).clear();
  }

  /**
   * Writes all of it down; only the owner may read it.
   *
   * @throws dev.semantic.store.CacheException if that cannot be; what was written before is still
   *     there, and all of it here
   */
  void keep() throws IOException {
    if (records == null) {
      return;
    }
    records.write(
        agent, JSON.writeValueAsString(messages.stream().map(ChatMessage::fields).toList()));
    if (former != null) {
      Files.deleteIfExists(former);
    }
  }
}
