package dev.semantic.examples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessagesFileTest {
  private static final String MESSAGE = "{\"role\": \"user\", \"content\": \"Grüße\"}";

  @TempDir private Path directory = Path.of("");

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("messages.json"), text);
  }

  @Test
  void anArrayOrAnObjectWithOne() throws IOException {
    List<ChatMessage> expected = List.of(ChatMessage.user("Grüße"));
    assertEquals(expected, MessagesFile.read(file("[" + MESSAGE + "]")));
    assertEquals(expected, MessagesFile.read(file("{\"messages\": [" + MESSAGE + "]}")));
  }

  /** The JSON library reads 20 million characters unless it is told otherwise. */
  @Test
  void aMessageMayHaveAnyLength() throws IOException {
    String text = "a".repeat(20_000_001);
    Path file = file("[{\"role\": \"user\", \"content\": \"" + text + "\"}]");
    assertEquals(text.length(), MessagesFile.read(file).getFirst().content().length());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "null",
        "[",
        "[1]",
        "[{\"role\": \"user\"}]",
        "[{\"role\": \"user\", \"content\": 1}]",
        "[{\"role\": null, \"content\": \"a\"}]",
        "{\"messages\": \"none\"}",
        "[{\"role\": \"user\", \"content\": \"a\"}] and more",
        "[{\"role\": \"user\", \"role\": \"user\", \"content\": \"a\"}]"
      })
  void whatIsNoConversationIsRefusedByName(String text) throws IOException {
    Path file = file(text);
    IOException e = assertThrows(IOException.class, () -> MessagesFile.read(file));
    assertTrue(String.valueOf(e.getMessage()).contains("messages.json"), e::toString);
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() throws IOException {
    Path file = directory.resolve("latin1.json");
    Files.write(file, new byte[] {'[', '"', (byte) 0xe9, 'a', '"', ']'});
    assertThrows(IOException.class, () -> MessagesFile.read(file));
  }

  @Test
  void aDirectoryIsNoFile() {
    assertThrows(IOException.class, () -> MessagesFile.read(directory));
  }
}
