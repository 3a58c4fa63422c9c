package dev.semantic.examples.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.semantic.generate.ChatMessage;
import dev.semantic.kv.AgentId;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is remembered of a conversation is one agent's, and its owner's only. */
class MemoryTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final Optional<CacheKey> OPEN = Optional.empty();
  private static final Optional<CacheKey> KEY = Optional.of(CacheKey.of(CacheKey.random()));

  @TempDir private Path root = Path.of("");

  private static void say(Memory memory, String words) throws IOException {
    memory.add(ChatMessage.user(words));
    memory.keep();
  }

  private Memory memory(AgentId agent, Optional<CacheKey> key) throws IOException {
    return Memory.of(agent, root, key);
  }

  private static List<String> said(Memory memory) {
    return memory.messages().stream().map(ChatMessage::content).toList();
  }

  private Path former(String name, String words) throws IOException {
    Path directory = Files.createDirectories(root.resolve("conversations"));
    return Files.writeString(
        directory.resolve(name), "[{\"role\":\"user\",\"content\":\"%s\"}]".formatted(words));
  }

  /** Their names have one length and one {@code String.hashCode}. */
  @Test
  void twoAgentsWithLongNamesShareNothing() throws IOException {
    AgentId one = new AgentId("Aa" + "x".repeat(150));
    AgentId two = new AgentId("BB" + "x".repeat(150));
    assertEquals(one.name().hashCode(), two.name().hashCode());
    say(memory(one, OPEN), "between us");
    assertEquals(List.of(), said(memory(two, OPEN)));
    assertEquals(List.of("between us"), said(memory(one, OPEN)));
  }

  @Test
  void onlyItsOwnerReadsIt() throws IOException {
    assumeTrue(root.getFileSystem().supportedFileAttributeViews().contains("posix"));
    say(memory(ANNA, OPEN), "hello");
    Path directory = root.resolve("conversations");
    assertEquals("rwx------", mode(directory));
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        assertEquals("rw-------", mode(file));
      }
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void withAKeyNothingIsInTheClear() throws IOException {
    say(memory(ANNA, KEY), "a secret");
    try (Stream<Path> files = Files.list(root.resolve("conversations"))) {
      for (Path file : files.toList()) {
        String all = Files.readString(file, StandardCharsets.ISO_8859_1) + file.getFileName();
        assertFalse(all.contains("secret") || all.contains("anna"), all);
      }
    }
    assertEquals(List.of("a secret"), said(memory(ANNA, KEY)));
    Memory without = memory(ANNA, OPEN);
    assertEquals(List.of(), said(without));
    assertTrue(without.notices().getFirst().contains("--key-file"), without.notices()::toString);
  }

  @Test
  void whatIsNotEncryptedIsSaidAndNotUsedWhereThereIsAKey() throws IOException {
    say(memory(ANNA, OPEN), "in the clear");
    Memory memory = memory(ANNA, KEY);
    assertEquals(List.of(), said(memory));
    assertTrue(memory.notices().getFirst().contains("not encrypted"), memory.notices()::toString);
    Path former = former("bob.json", "also");
    Memory bobs = memory(new AgentId("bob"), KEY);
    assertEquals(List.of(), said(bobs));
    assertTrue(bobs.notices().getFirst().contains(former.toString()), bobs.notices()::toString);
  }

  @Test
  void whatAnEarlierBuildKeptIsFoundAndKeptAsToday() throws IOException {
    Path former = former("an%2Fna.json", "long ago");
    AgentId agent = new AgentId("an/na");
    Memory memory = memory(agent, OPEN);
    assertEquals(List.of("long ago"), said(memory));
    say(memory, "now");
    assertFalse(Files.exists(former));
    assertEquals(List.of("long ago", "now"), said(memory(agent, OPEN)));
  }

  /** Earlier builds may have written it for any of several agents. */
  @Test
  void whatMayBeAnothersIsSaidAndNotUsed() throws IOException {
    AgentId agent = new AgentId("x".repeat(150));
    Path former = former("agent-%x-150.json".formatted(agent.name().hashCode()), "whose?");
    Memory memory = memory(agent, OPEN);
    assertEquals(List.of(), said(memory));
    assertTrue(memory.notices().getFirst().contains(former.toString()), memory.notices()::toString);
  }

  /** Its name as earlier builds wrote it is another agent's of today. */
  @Test
  void anAgentThatIsCalledLikeAFileReadsNobodyElses() throws IOException {
    say(memory(ANNA, OPEN), "mine");
    String file = String.valueOf(new Conversations(root).records(OPEN).file(ANNA).getFileName());
    AgentId mallory = new AgentId(file.substring(0, file.length() - ".json".length()));
    assertEquals(List.of(), said(memory(mallory, OPEN)));
    assertEquals(List.of("mine"), said(memory(ANNA, OPEN)));
  }

  /** Longer than Jackson reads a text unless it is told to. */
  @Test
  void aMessageOfAnyLengthIsReadAgain() throws IOException {
    String longest = "x".repeat(StreamReadConstraints.DEFAULT_MAX_STRING_LEN + 1);
    say(memory(ANNA, OPEN), longest);
    Memory again = memory(ANNA, OPEN);
    assertEquals(longest.length(), said(again).getFirst().length());
    say(again, "more");
    assertEquals("more", said(memory(ANNA, OPEN)).getLast());
  }

  @Test
  void whatCannotBeWrittenDownIsStillRemembered() throws IOException {
    Memory memory = memory(ANNA, OPEN);
    say(memory, "before");
    Path directory = root.resolve("conversations");
    Path aside = Files.move(directory, root.resolve("aside"));
    Files.writeString(directory, "no directory");
    memory.add(ChatMessage.user("meanwhile"));
    CacheException refused = assertThrows(CacheException.class, memory::keep);
    assertTrue(String.valueOf(refused.getMessage()).contains(directory.toString()));
    Files.delete(directory);
    Files.move(aside, directory);
    assertEquals(List.of("before"), said(memory(ANNA, OPEN)));
    say(memory, "after");
    assertEquals(List.of("before", "meanwhile", "after"), said(memory(ANNA, OPEN)));
  }

  @Test
  void whatIsNoConversationIsNamed() throws IOException {
    say(memory(ANNA, OPEN), "hello");
    Path file = new Conversations(root).records(OPEN).file(ANNA);
    Files.writeString(file, "{");
    IOException refused = assertThrows(IOException.class, () -> memory(ANNA, OPEN));
    assertTrue(String.valueOf(refused.getMessage()).contains(file.toString()));
  }
}
