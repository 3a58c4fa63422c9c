package dev.semantic.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTemplatesTest {
  private static final String NAMED =
      """
      {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null,
       "chat_template": [{"name": "default", "template": "plain"},
                         {"name": "tool_use", "template": "with tools"}]}
      """;

  @TempDir private Path directory = Path.of("");

  private void file(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static String rendered(ModelTemplates templates, boolean tools) {
    return templates.choose(tools).orElseThrow().render(Map.of());
  }

  @Test
  void oneTextIsTheDefaultAlsoForTools() throws IOException {
    file("tokenizer_config.json", "{\"chat_template\": \"one\"}");
    ModelTemplates templates = ModelTemplates.ofDirectory(directory);
    assertEquals("one", rendered(templates, false));
    assertEquals("one", rendered(templates, true));
  }

  @Test
  void ofANamedListToolsHaveTheirOwn() throws IOException {
    file("tokenizer_config.json", NAMED);
    ModelTemplates templates = ModelTemplates.ofDirectory(directory);
    assertEquals("plain", rendered(templates, false));
    assertEquals("with tools", rendered(templates, true));
    assertEquals(Map.of("bos_token", "<s>", "eos_token", "</s>"), templates.tokens());
  }

  @Test
  void filesComeBeforeTheConfig() throws IOException {
    file("tokenizer_config.json", NAMED);
    file("chat_template.jinja", "of the file");
    assertEquals("of the file", rendered(ModelTemplates.ofDirectory(directory), false));
    assertEquals("with tools", rendered(ModelTemplates.ofDirectory(directory), true));
    file("additional_chat_templates/tool_use.jinja", "tools of the file");
    assertEquals("tools of the file", rendered(ModelTemplates.ofDirectory(directory), true));
    assertEquals("<s>", ModelTemplates.ofDirectory(directory).tokens().get("bos_token"));
  }

  @Test
  void aBaseModelHasNone() throws IOException {
    assertTrue(ModelTemplates.ofDirectory(directory).choose(true).isEmpty());
    file("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": null}");
    assertTrue(ModelTemplates.ofDirectory(directory).choose(false).isEmpty());
  }

  @Test
  void aGgufNamesThemByKey() {
    ModelTemplates templates =
        ModelTemplates.ofGguf(
            Map.of(
                "tokenizer.chat_template", "plain",
                "tokenizer.chat_template.tool_use", "with tools",
                "tokenizer.chat_templates", List.of("tool_use")),
            Map.of("bos_token", "<s>"));
    assertEquals("plain", rendered(templates, false));
    assertEquals("with tools", rendered(templates, true));
    assertEquals(Map.of("bos_token", "<s>"), templates.tokens());
  }

  @Test
  void ofSeveralWithoutADefaultNoneIsGuessed() {
    ModelTemplates templates =
        ModelTemplates.ofConfig(Map.of("chat_template", Map.of("rag", "r", "tool_use", "t")));
    assertEquals("t", rendered(templates, true));
    TemplateException refused =
        assertThrows(TemplateException.class, () -> templates.choose(false));
    assertTrue(String.valueOf(refused.getMessage()).contains("[rag, tool_use]"), refused::toString);
  }

  @Test
  void aBrokenTemplateThatIsNotChosenHarmsNobody() {
    ModelTemplates templates =
        ModelTemplates.ofConfig(
            Map.of("chat_template", Map.of("default", "fine", "tool_use", "{% if")));
    assertEquals("fine", rendered(templates, false));
    assertThrows(TemplateException.class, () -> templates.choose(true));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "7"})
  void aConfigThatIsNoObjectIsRefusedByName(String text) throws IOException {
    file("tokenizer_config.json", text);
    IOException refused =
        assertThrows(IOException.class, () -> ModelTemplates.ofDirectory(directory));
    assertTrue(
        String.valueOf(refused.getMessage()).contains("tokenizer_config.json"), refused::toString);
  }

  @Test
  void aTemplateThatIsNotUtf8IsRefused() throws IOException {
    Files.write(directory.resolve("chat_template.jinja"), new byte[] {'a', (byte) 0xe9});
    assertThrows(IOException.class, () -> ModelTemplates.ofDirectory(directory));
  }
}
