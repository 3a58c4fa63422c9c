package dev.semantic.formats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What each family's answers are made of, by transcripts: an answer, then what comes of it. {@code
 * -Dsemantic.transcripts=write} writes the second halves anew.
 */
class AnswerFormatsTest {
  private static final Path TRANSCRIPTS =
      Path.of("src/test/resources/dev/semantic/formats").toAbsolutePath();
  private static final Pattern CASE =
      Pattern.compile("(?s)== ([^\\n]*)\\n(.*?)\\n--\\n(.*?)(?=\\n== |\\z)");

  private static final List<Tool> TOOLS =
      List.of(
          Tool.of(
              "weather",
              "",
              "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}, \"days\":"
                  + " {\"type\": \"integer\"}}}"),
          Tool.of("write", "", "{\"type\": \"object\"}"));

  private static final Map<String, AnswerFormat> FORMATS = // in an order that is always the same
      new TreeMap<>(
          Map.of(
              "hermes", new Hermes(),
              "qwen-coder", new QwenCoder(),
              "llama3", new Llama3(),
              "mistral", new Mistral(),
              "gemma4", new Gemma4(),
              "harmony", new Harmony(),
              "deepseek", new DeepSeek(),
              "glm", new Glm(),
              "granite", new Granite()));

  /** Adjacent pieces of one kind are one. */
  private static final class Events implements AnswerParser.Sink {
    private final List<String> lines = new ArrayList<>();
    private final StringBuilder arguments = new StringBuilder();
    private String kind = "";
    private final StringBuilder more = new StringBuilder();
    private String open = "";

    private void add(String of, String text) {
      assertTrue(!text.isEmpty(), "nothing is told of");
      if (!of.equals(kind)) {
        flush();
        kind = of;
      }
      more.append(text);
    }

    private void flush() {
      if (!kind.isEmpty()) {
        lines.add(kind + " " + TaggedParser.quoted(more.toString()));
      }
      kind = "";
      more.setLength(0);
    }

    private void line(String line) {
      flush();
      lines.add(line);
    }

    @Override
    public void reasoning(String text) {
      add("reasoning", text);
    }

    @Override
    public void text(String text) {
      add("text", text);
    }

    @Override
    public void callBegun(String id, String name) {
      assertEquals("", open, "a call is open");
      line("call " + name + (id.isEmpty() ? "" : " " + id));
      open = name;
      arguments.setLength(0);
    }

    @Override
    public void callArguments(String json) {
      assertTrue(!open.isEmpty(), "no call is open");
      add("arguments", json);
      arguments.append(json);
    }

    @Override
    public void callComplete() {
      line("complete " + new ToolCall("", open, arguments.toString()).values());
      open = "";
    }

    @Override
    public void brokenCall(String text, String reason) {
      line("broken " + TaggedParser.quoted(text) + " because " + reason);
      open = "";
    }

    private List<String> all() {
      flush();
      return lines;
    }
  }

  private static Events read(AnswerFormat format, List<Tool> tools, String end, String... pieces) {
    AnswerParser parser = format.parser(tools, end);
    Events events = new Events();
    for (String piece : pieces) {
      parser.accept(piece, events);
    }
    parser.end(events);
    events.flush();
    assertEquals("", events.open, "a call was left open");
    return events;
  }

  private static AnswerFormat format(String family) {
    return Objects.requireNonNull(FORMATS.get(family));
  }

  private static List<MatchResult> cases(String family) throws IOException {
    String file = Files.readString(TRANSCRIPTS.resolve(family + ".txt"));
    List<MatchResult> found = CASE.matcher(file).results().toList();
    assertTrue(found.size() >= 3, family);
    return found;
  }

  /** A name may say how the prompt ends: {@code == thinks (<think>)}. */
  private static String promptEnd(String name) {
    return name.replaceFirst("^[^(]*(\\((.*)\\))?$", "$2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hermes",
        "qwen-coder",
        "llama3",
        "mistral",
        "gemma4",
        "harmony",
        "deepseek",
        "glm",
        "granite"
      })
  void answersComeApartAsTheTranscriptsSay(String family) throws IOException {
    AnswerFormat format = format(family);
    StringBuilder written = new StringBuilder();
    for (MatchResult each : cases(family)) {
      String said = each.group(2);
      Events whole = read(format, TOOLS, promptEnd(each.group(1)), said);
      written.append(
          "== %s\n%s\n--\n%s\n".formatted(each.group(1), said, String.join("\n", whole.all())));
    }
    Path file = TRANSCRIPTS.resolve(family + ".txt");
    if ("write".equals(System.getProperty("semantic.transcripts"))) {
      Files.writeString(file, written.toString());
    }
    assertEquals(written.toString(), Files.readString(file));
  }

  /** Wherever it is cut: in two, into single characters, at random. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hermes",
        "qwen-coder",
        "llama3",
        "mistral",
        "gemma4",
        "harmony",
        "deepseek",
        "glm",
        "granite"
      })
  void howAnAnswerIsCutMakesNoDifference(String family) throws IOException {
    AnswerFormat format = format(family);
    Random random = new Random(7);
    for (MatchResult each : cases(family)) {
      String said = each.group(2);
      String end = promptEnd(each.group(1));
      List<String> whole = read(format, TOOLS, end, said).all();
      for (int at = 0; at <= said.length(); at++) {
        List<String> two =
            read(format, TOOLS, end, said.substring(0, at), said.substring(at)).all();
        assertEquals(whole, two, each.group(1) + " cut at " + at);
      }
      assertEquals(whole, read(format, TOOLS, end, said.split("", -1)).all(), each.group(1));
      for (int i = 0; i < 20; i++) {
        String[] pieces = said.split("(?<=" + (char) ('a' + random.nextInt(26)) + ")", -1);
        assertEquals(whole, read(format, TOOLS, end, pieces).all(), each.group(1));
      }
    }
  }

  /** What was complete stays so, what was begun is told to be broken, and nothing is lost. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hermes",
        "qwen-coder",
        "llama3",
        "mistral",
        "gemma4",
        "harmony",
        "deepseek",
        "glm",
        "granite"
      })
  void anAnswerMayEndAnywhere(String family) throws IOException {
    AnswerFormat format = format(family);
    for (MatchResult each : cases(family)) {
      String said = each.group(2);
      String end = promptEnd(each.group(1));
      List<String> before = List.of();
      for (int at = 0; at <= said.length(); at++) {
        List<String> calls =
            read(format, TOOLS, end, said.substring(0, at)).all().stream()
                .filter(line -> line.startsWith("complete"))
                .toList();
        assertEquals(before, calls.subList(0, before.size()), each.group(1) + " ends at " + at);
        before = calls;
      }
    }
  }

  /** Without tools, or where none may be called, all of it is said. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hermes",
        "qwen-coder",
        "llama3",
        "mistral",
        "gemma4",
        "deepseek",
        "glm",
        "granite"
      })
  void withoutToolsThereAreNoCalls(String family) throws IOException {
    for (MatchResult each : cases(family)) {
      List<String> lines =
          read(format(family), List.of(), promptEnd(each.group(1)), each.group(2)).all();
      assertTrue(
          lines.stream().allMatch(line -> line.startsWith("text") || line.startsWith("reasoning")),
          lines::toString);
    }
  }

  /** It is asked while a model begins to serve, and while the old one comes back. */
  @Test
  void aFormatOfTheHostsThatFailsIsNotUsed() {
    AnswerFormat broken =
        new AnswerFormat() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public boolean matches(String template) {
            throw new IllegalStateException("broken");
          }

          @Override
          public Set<String> markers() {
            return Set.of();
          }

          @Override
          public AnswerParser parser(List<Tool> tools, String promptEnd) {
            throw new AssertionError("it was used");
          }
        };
    assertEquals("granite", AnswerFormats.of("<|tool_call|>", List.of(broken)).name());
  }

  /** Random pieces of all formats: nothing throws, and cuts make no difference. */
  @Test
  void nothingThatAModelWritesThrows() throws IOException {
    List<String> pieces =
        new ArrayList<>(
            List.of(
                "{", "}", "[", "]", "\"", ",", ":", "\\", "\n", " ", "a", "1", "é", "<", ">", "|"));
    for (AnswerFormat format : FORMATS.values()) {
      pieces.addAll(format.markers().stream().sorted().toList());
      for (MatchResult each : cases(format.name())) {
        pieces.addAll(List.of(each.group(2).split("(?<=[>\\]:{}\" ])", -1)));
      }
    }
    for (AnswerFormat format : FORMATS.values()) {
      Random random = new Random(format.name().hashCode());
      for (int i = 0; i < 2_000; i++) {
        StringBuilder said = new StringBuilder();
        for (int n = random.nextInt(40); n > 0; n--) {
          said.append(pieces.get(random.nextInt(pieces.size())));
        }
        String all = said.toString();
        int at = random.nextInt(all.length() + 1);
        assertEquals(
            read(format, TOOLS, "", all).all(),
            read(format, TOOLS, "", all.substring(0, at), all.substring(at)).all(),
            format.name() + ": " + all);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "hermes <tool_call>",
        "qwen-coder <tool_call><function=x><parameter=y>",
        "llama3 <|start_header_id|>\"parameters\"",
        "mistral [TOOL_CALLS]",
        "gemma4 <|tool_call>call:",
        "harmony <|channel|><|message|>",
        "deepseek <｜tool▁calls▁begin｜>",
        "glm <tool_call><arg_key>",
        "granite <|tool_call|><tool_call>",
        "hermes nothing"
      })
  void theTemplateTellsTheFormat(String family, String template) {
    assertEquals(family, AnswerFormats.of(template).name());
  }
}
