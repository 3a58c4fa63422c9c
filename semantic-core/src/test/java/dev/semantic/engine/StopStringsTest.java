package dev.semantic.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void textWithoutAStopPassesWhole() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertEquals("abc", stops.accept("abcE"));
    assertEquals("Ex", stops.accept("x"));
    assertEquals("", stops.accept("EN"));
    assertEquals("EN", stops.rest());
  }

  @Test
  void whateverThePiecesNothingOfAStopStringPasses() {
    Random random = new Random(5);
    for (int round = 0; round < 5000; round++) {
      String text = letters(random, 30);
      List<String> stops =
          List.of(letters(random, 1 + random.nextInt(4)), letters(random, 1 + random.nextInt(4)));
      StopStrings filter = new StopStrings(stops);
      StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int next = Math.min(text.length(), at + 1 + random.nextInt(5));
        shown.append(filter.accept(text.substring(at, next)));
        at = next;
      }
      shown.append(filter.rest());
      check(text, stops, shown.toString());
    }
  }

  /** Which of two overlapping stops comes first depends on the pieces; this does not. */
  private static void check(String text, List<String> stops, String shown) {
    String about = text + " " + stops + " shows " + shown;
    assertTrue(text.startsWith(shown), about);
    assertTrue(stops.stream().noneMatch(shown::contains), about);
    String rest = text.substring(shown.length());
    assertTrue(rest.isEmpty() || stops.stream().anyMatch(rest::startsWith), about);
  }

  @Test
  void thereAreNoMoreOfThemThanOneRequestMayHave() {
    GenerationRequest.Builder request = GenerationRequest.of(new Prompt.Tokens(new int[] {1}));
    String[] many = new String[GenerationRequest.MAX_STOPS];
    Arrays.setAll(many, i -> "stop " + i);
    assertEquals(GenerationRequest.MAX_STOPS, request.stop(many).build().stop().size());
    String[] more = Arrays.copyOf(many, many.length + 1);
    more[many.length] = "stop";
    assertThrows(IllegalArgumentException.class, () -> request.stop(more));
    String longest = "a".repeat(GenerationRequest.MAX_STOP_CHARACTERS);
    assertEquals(longest, request.stop(longest).build().stop().getFirst());
    assertThrows(IllegalArgumentException.class, () -> request.stop(longest, "b"));
  }

  @Test
  void anAnswerThatAlmostStopsAllTheTimeStopsInTheEnd() {
    String stop = "a".repeat(GenerationRequest.MAX_STOP_CHARACTERS - 1) + "b";
    StopStrings stops = new StopStrings(List.of(stop));
    String shown = stops.accept("a".repeat(1_000_000));
    assertEquals(1_000_000 - stop.length() + 1, shown.length());
    assertEquals("", stops.accept("bx"));
    assertTrue(stops.found());
    assertEquals("", stops.rest());
  }

  private static String letters(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + random.nextInt(3)));
    }
    return text.toString();
  }
}
