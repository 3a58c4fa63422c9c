package dev.semantic.examples.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@RequiresModels
class DemoTest {
  @ParameterizedTest(name = "{0} of memory: {1}")
  @CsvSource({"16384, make_before_break", "2300, break_before_make"})
  void theStoryHolds(long mebibytes, String strategy) throws IOException {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    MemoryBudget budget = new MemoryBudget(ByteSize.ofMiB(mebibytes));
    Demo demo = new Demo(Terminal.of(told, new ByteArrayOutputStream()), false, budget, 4);
    JsonNode story = new ObjectMapper().valueToTree(demo.run());

    JsonNode swaps = story.get("swaps");
    assertEquals(
        List.of("swapped", "swapped", "swapped", "refused", "rolled_back"), each(swaps, "outcome"));
    assertEquals(strategy, swaps.get(1).get("strategy").asText());
    for (int i = 1; i < 3; i++) {
      assertTrue(swaps.get(i).get("reclaimed_share").asDouble() > 0.95, swaps::toString);
      assertEquals(2, swaps.get(i).get("agents_parked").asInt(), swaps::toString);
    }
    assertEquals(2, swaps.get(2).get("agents_restored").asInt(), swaps::toString);
    assertEquals("smollm2-135m-instruct", swaps.get(4).get("serving").asText());

    JsonNode answers = story.get("answers");
    assertEquals(8, answers.size());
    for (int i = 4; i < 8; i++) {
      assertTrue(answers.get(i).get("cached_tokens").asInt() > 0, answers::toString);
    }
    String text = told.toString(StandardCharsets.UTF_8);
    assertEquals(2, text.lines().filter(line -> line.contains("on disk: ")).count(), text);
  }

  private static List<String> each(JsonNode array, String field) {
    return StreamSupport.stream(array.spliterator(), false)
        .map(node -> node.get(field).asText())
        .toList();
  }
}
