package dev.semantic.examples.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static byte[] commandLine(String... words) {
    return (String.join("\0", words) + "\0").getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void wordsThatTheLocaleLostComeBack() {
    String[] lost = {"tokenize", "smol", "\ufffd\ufffd t\ufffd", ""};
    String[] typed = {"tokenize", "smol", "é tü", ""};
    assertArrayEquals(
        typed,
        Arguments.restore(
            lost, commandLine("java", "-jar", "a.jar", "tokenize", "smol", "é tü", "")));
  }

  @Test
  void aCommandLineThatTellsAnotherStoryIsNotBelieved() {
    String[] words = {"tokenize", "smol", "\ufffd"};
    assertSame(words, Arguments.restore(words, commandLine("java", "info", "smol", "é")));
    assertSame(words, Arguments.restore(words, commandLine("smol", "é")));
    assertSame(words, Arguments.restore(words, new byte[0]));
  }

  @Test
  void bytesThatAreNotUtf8AreNotTouched() {
    String[] words = {"\ufffd"};
    assertSame(words, Arguments.restore(words, new byte[] {'j', 0, (byte) 0xff, 0}));
  }
}
