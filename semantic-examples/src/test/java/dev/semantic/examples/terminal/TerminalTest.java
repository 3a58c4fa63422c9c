package dev.semantic.examples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is printed, a terminal does nothing but show it. */
class TerminalTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private static String text(ByteArrayOutputStream written) {
    return written.toString(StandardCharsets.UTF_8);
  }

  /** A title, the clipboard, C1's way to begin both, a line drawn over, a text turned around. */
  static Stream<String> attacks() {
    return Stream.of(
        "\u001b]0;title\u0007",
        "\u001b]52;c;cm0gLXJm\u001b\\",
        "\u009b2J",
        "\u009d0;title\u009c",
        "\u0090q",
        "\u007f\b\b\b",
        "\u202egnp.exe",
        "\u2066\u2069\u200e\u200f\u061c",
        "\u2028\u2029\u000b\f\u0085",
        "\u0000");
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void nothingThatSteersReachesATerminal(String attack) {
    Terminal terminal = Terminal.of(out, true, err, true);
    for (PrintStream stream : new PrintStream[] {terminal.out(), terminal.err()}) {
      stream.print("a" + attack + "b");
      attack.chars().forEach(each -> stream.print((char) each)); // token by token
      stream.printf("%s%n", attack);
      stream.append(attack).append('c');
      new IllegalStateException(attack).printStackTrace(stream);
    }
    for (String seen : new String[] {text(out), text(err)}) {
      assertTrue(seen.codePoints().noneMatch(each -> each != '\n' && PlainText.steers(each)), seen);
      assertTrue(seen.startsWith("a?"), seen);
    }
    assertFalse(PlainText.of(attack).codePoints().anyMatch(PlainText::steers));
  }

  @Test
  void everythingElseDoes() throws IOException {
    String text =
        "Grüße\tan\n"
            + "alle: \uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67"
            + " \u0928\u092E\u0938\u094D\u200C\u0924\u0947 \u05E9\u05DC\u05D5\u05DD ÿ \uFFFD\n";
    Terminal terminal = Terminal.of(out, true, err, true);
    terminal.out().print(text);
    assertEquals(text, text(out));
    assertEquals(text, PlainText.of(text));
    ByteArrayOutputStream single = new ByteArrayOutputStream();
    try (OutputStream door = PlainText.to(single)) {
      for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
        door.write(octet);
      }
    }
    assertEquals(text, text(single));
    terminal.err().print("one\r\ntwo\rthree");
    assertEquals("one\ntwothree", text(err), "the second line draws nothing over");
  }

  /** As whoever sends it there expects; errors are for people wherever they go. */
  @Test
  void intoAFileResultsGoAsTheyAre() {
    Terminal terminal = Terminal.of(out, err);
    terminal.out().print("a\u001b[31m\u009b\r\n");
    terminal.err().print("a\u001b[31m\u009b");
    assertEquals("a\u001b[31m\u009b\r\n", text(out));
    assertEquals("a?[31m?", text(err));
  }

  /** Eight bits that are no UTF-8 are C1 to some terminals. */
  @Test
  void bytesThatAreNoTextAreNotPassedOn() throws IOException {
    try (OutputStream door = PlainText.to(out)) {
      door.write(
          new byte[] {'a', (byte) 0x9b, 'b', (byte) 0xc2, 'c', (byte) 0xe2, (byte) 0x80, 'd'});
      door.write(new byte[] {(byte) 0xc0, (byte) 0x9b, (byte) 0xff, (byte) 0xed, (byte) 0xa0, 'e'});
    }
    String seen = out.toString(StandardCharsets.ISO_8859_1);
    assertTrue(seen.matches("a\\?b\\?c\\?d\\?+e"), seen);
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void jsonSaysItExactlyAndHarmlessly(String attack) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    String json = PlainText.ofJson(mapper.writeValueAsString(attack));
    assertEquals(attack, mapper.readValue(json, String.class));
    assertFalse(json.codePoints().anyMatch(PlainText::steers), json);
  }

  @Test
  void aNameStaysOnItsLine() {
    assertEquals("bob??[2J?anna??", PlainText.name("bob\n\u001b[2J\tanna\u200d\u009b"));
  }
}
