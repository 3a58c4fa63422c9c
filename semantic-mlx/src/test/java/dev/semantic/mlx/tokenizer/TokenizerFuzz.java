package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.generate.ChatMessage;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Tokenizers as directories have them, with what lies beside them. */
public final class TokenizerFuzz implements FuzzTarget {
  private static final List<String> KINDS =
      List.of("byte-level", "sentencepiece-plain", "sentencepiece-prepend", "unigram");
  private static final List<String> FILES =
      List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json");

  private final Path directory;
  private final List<Map<String, JsonNode>> good = new ArrayList<>();

  private TokenizerFuzz(Path directory) throws IOException {
    this.directory = directory;
    for (String kind : KINDS) {
      Map<String, JsonNode> files = new LinkedHashMap<>();
      for (String name : FILES) {
        try (InputStream in =
            TokenizerFuzz.class.getResourceAsStream("/tokenizers/" + kind + "/" + name)) {
          files.put(name, JsonEdits.JSON.readTree(Objects.requireNonNull(in)));
        }
      }
      good.add(files);
    }
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\":1}");
    Files.writeString(
        directory.resolve("chat_template.jinja"),
        "{{ bos_token }}{% for m in messages %}<s>{{ m.role }}{{ m.content }}</s>{% endfor %}");
  }

  public static FuzzTarget make(Path directory) throws IOException {
    return new TokenizerFuzz(directory);
  }

  @Override
  public int costs() {
    return 2;
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    Map<String, JsonNode> files = recipe.one(good);
    String changed = FILES.get(Math.max(0, recipe.below(8) - 5));
    for (String name : FILES) {
      JsonNode file = Objects.requireNonNull(files.get(name));
      byte[] bytes =
          JsonEdits.JSON.writeValueAsBytes(
              name.equals(changed) ? JsonEdits.edited(file, recipe) : file);
      Files.write(
          directory.resolve(name),
          name.equals(changed) && recipe.sometimes(16) ? recipe.bent(bytes) : bytes);
    }
    Depth depth = Depth.FRONT;
    try {
      var opened = Tokenizers.open(ModelDirectory.of(directory));
      depth = Depth.INSIDE;
      try (ChatTokenizer text = opened.get()) {
        text.decode(text.encode("Hello <s> wörld 🙂\n\n" + recipe.text(), true));
        text.encodeChat(List.of(new ChatMessage("user", "</s> hi" + recipe.text())));
        return Depth.TAKEN;
      }
    } catch (ModelException e) {
      return depth;
    }
  }
}
