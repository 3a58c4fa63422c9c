package dev.semantic.examples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code models convert}: its options, its answers, its refusals. */
class ConvertCommandTest {
  private static final String[] FIELDS = {
    "path",
    "size_bytes",
    "architecture",
    "quantization",
    "matrices",
    "bits_per_weight",
    "exact",
    "files"
  };

  @TempDir private Path home = Path.of("");

  private static String tiny(String name) {
    return Project.root().resolve("semantic-mlx/src/test/resources/reference/" + name).toString();
  }

  private Run convert(String model, String... options) {
    String[] line = new String[options.length + 4];
    line[0] = "models";
    line[1] = "convert";
    line[2] = model;
    line[3] = home.resolve("out").toString();
    System.arraycopy(options, 0, line, 4, options.length);
    Run run = InProcess.run(line);
    return new Run(
        run.code(), run.out(), run.err().replaceFirst("Converting \\S+ \\.\\.\\.\\R", ""));
  }

  @Test
  void aModelIsWrittenAsItIs() throws IOException {
    JsonNode answer = convert(tiny("tiny-llama-bf16"), "--json").json(FIELDS);
    assertEquals(home.resolve("out").toRealPath().toString(), answer.get("path").textValue());
    assertEquals("llama", answer.get("architecture").textValue());
    assertEquals("BF16", answer.get("quantization").textValue());
    assertTrue(answer.get("exact").booleanValue());
    assertEquals("model.safetensors", answer.get("files").get(0).textValue());
    long bytes = Files.size(home.resolve("out/model.safetensors"));
    assertTrue(answer.get("size_bytes").longValue() > bytes);
  }

  @Test
  void aModelIsQuantisedByTheNamesOfMlxLm() throws IOException {
    JsonNode answer =
        convert(tiny("tiny-llama-f32"), "--q-bits", "3", "--q-group-size", "32", "--json")
            .json(FIELDS);
    assertEquals("3-bit, group 32", answer.get("quantization").textValue());
    assertFalse(answer.get("exact").booleanValue());
  }

  @Test
  void toQuantiseWithoutMoreIsFourBitsInGroupsOfSixtyFour() {
    Run run = convert(tiny("tiny-llama-f32"), "-q", "--shard-size", "10kB");
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().contains("4-bit, group 64"), run.out());
    assertTrue(run.out().contains("weights are rounded"), run.out());
    assertTrue(Files.exists(home.resolve("out/model.safetensors.index.json")));
  }

  @Test
  void wrongUsageIsSaidBeforeAnythingIsDone() {
    convert("no-such-model", "--bits", "7").assertFailed(2, "7 bits", "2, 3, 4, 5, 6, 8");
    convert("no-such-model", "--group-size", "16").assertFailed(2, "32, 64, 128");
    convert("no-such-model", "--dtype", "int8").assertFailed(2, "--dtype", "bfloat16");
    convert("no-such-model", "--shard-size", "much").assertFailed(2, "much");
    convert("no-such-model", "-q", "-d").assertFailed(2, "--dequantize", "exclude");
    convert("no-such-model").assertFailed(1, "no-such-model");
    assertFalse(Files.exists(home.resolve("out")));
  }

  @Test
  void whatIsQuantisedOrTakenIsRefused() throws IOException {
    convert(tiny("tiny-llama-tied-q4"), "--bits", "2")
        .assertFailed(1, "quantised already", "--dequantize");
    assertFalse(Files.exists(home.resolve("out")));
    Files.createDirectory(home.resolve("out"));
    Files.writeString(home.resolve("out/mine"), "mine");
    convert(tiny("tiny-llama-f32")).assertFailed(1, "not empty");
  }
}
