package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code render} with a template of its own; no model is opened. */
class RenderTemplateTest {
  private static final String HELLO = "[{\"role\": \"user\", \"content\": \"Grüße\"}]";

  @TempDir private Path directory = Path.of("");

  private String file(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text).toString();
  }

  private Run render(String template, String messages, String... more) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "render",
                "--template",
                file("chat.jinja", template),
                "--messages",
                file("messages.json", messages)));
    words.addAll(List.of(more));
    return run(words.toArray(String[]::new));
  }

  private void assertRenders(String expected, String template, String messages, String... more)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(more));
    words.add("--json");
    Run run = render(template, messages, words.toArray(String[]::new));
    assertEquals(expected, run.json("text").get("text").textValue());
  }

  @Test
  void textAsItIsAndAsJson() throws IOException {
    String template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n\n{% endfor %}";
    Run run = render(template, HELLO);
    assertEquals(0, run.code(), run.err());
    assertEquals("user: Grüße\n\n" + System.lineSeparator(), run.out());
    assertRenders("user: Grüße\n\n", template, HELLO);
  }

  @Test
  void messagesKeepAllTheirFields() throws IOException {
    assertRenders(
        "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\":"
            + " 12345678901234567890, \"x\": [1.0, true]}]}",
        "{{ messages[0] | tojson }}",
        "{\"messages\": [{\"role\": \"assistant\", \"content\": null, \"tool_calls\":"
            + " [{\"id\": 12345678901234567890, \"x\": [1.0, true]}]}]}");
    assertRenders("0", "{{ messages | length }}", "[]");
  }

  @Test
  void toolsFromTheMessagesFileOrTheirOwn() throws IOException {
    String template = "{{ tools | tojson }} {{ documents }}";
    String both = "{\"messages\": [], \"tools\": [{\"name\": \"a\"}]}";
    assertRenders("null None", template, HELLO);
    assertRenders("[{\"name\": \"a\"}] None", template, both);
    assertRenders("[1] None", template, both, "--tools", file("tools.json", "[1]"));
    assertRenders("[2] None", template, both, "--tools", file("t.json", "{\"tools\": [2]}"));
  }

  @Test
  void specialTokensThePromptAndTheDay() throws IOException {
    String template = "{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}";
    assertRenders("True", template, HELLO);
    assertRenders(
        "<s></s>False", template, HELLO, "--bos", "<s>", "--eos", "</s>", "--no-generation-prompt");
    assertRenders(
        "Thu 29 Feb 2024 00:00",
        "{{ strftime_now('%a %d %b %Y %H:%M') }}",
        HELLO,
        "--date",
        "2024-02-29");
  }

  @Test
  void settingsAreJsonOrText() throws IOException {
    assertRenders(
        "[false, [1, \"b\"], null, \"plain text\", \"1=2\", 7, \"\", \"2024-01-01\"]",
        "{{ [a, b, c, d, e, f, g, h] | tojson }}",
        HELLO,
        "--set",
        "a=false",
        "--set",
        "b=[1, \"b\"]",
        "--set",
        "c=null",
        "--set",
        "d=plain text",
        "--set",
        "e=1=2",
        "--set",
        "f=7",
        "--set",
        "g=",
        "--set",
        "h=2024-01-01");
  }

  @Test
  void aTokenizerConfigOrADirectory() throws IOException {
    String config =
        file(
            "tokenizer_config.json",
            "{\"bos_token\": \"<s>\", \"chat_template\": [{\"name\": \"default\", \"template\":"
                + " \"{{ bos_token }}plain\"}, {\"name\": \"tool_use\", \"template\":"
                + " \"tools\"}]}");
    String messages = file("messages.json", HELLO);
    String tools = file("tools.json", "[{}]");
    for (String template : List.of(config, directory.toString())) {
      Run plain = run("render", "--template", template, "--messages", messages);
      assertEquals("<s>plain" + System.lineSeparator(), plain.out());
      Run used = run("render", "--template", template, "--messages", messages, "--tools", tools);
      assertEquals("tools" + System.lineSeparator(), used.out());
    }
    Run other = run("render", "--template", config, "--messages", messages, "--bos", "<b>");
    assertEquals("<b>plain" + System.lineSeparator(), other.out());
  }

  @Test
  void errorsSayWhereInOneLine() throws IOException {
    render("\n{{ raise_exception('no\nroles') }}", HELLO).assertFailed(1, "chat.jinja: ");
    render("\n{{ raise_exception('no\nroles') }}", HELLO).assertFailed(1, "line 2, column 19");
    render("{% include 'x' %}", HELLO).assertFailed(1, "include");
    render("{{ bos_token + 'a' }}", HELLO).assertFailed(1, "'bos_token' is undefined");
    render("{{ 1 }}", "{\"messages\": 1}").assertFailed(1, "holds no messages");
    render("{{ 1 }}", "[1").assertFailed(1, "messages.json, line 1");
    render("{{ 1 }}", HELLO, "--tools", file("t.json", "{}")).assertFailed(1, "holds no tools");
    run("render", "--template", directory.resolve("none").toString(), "--messages", "x")
        .assertFailed(1, "There is no file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--set|name",
        "--set|=value",
        "--date|yesterday",
        "--date|2024-02-30",
        "some-model"
      })
  void wrongUsage(String words) throws IOException {
    render("{{ 1 }}", HELLO, words.split("\\|")).assertFailed(2, "--help");
  }

  @Test
  void aTemplateOrAModelIsNeeded() throws IOException {
    String messages = file("messages.json", HELLO);
    run("render", "--messages", messages).assertFailed(2, "--template");
    run("render", "--messages", messages, "--bos", "x").assertFailed(2, "--template");
  }
}
