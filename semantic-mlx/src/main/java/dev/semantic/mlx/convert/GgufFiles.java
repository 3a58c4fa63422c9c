package dev.semantic.mlx.convert;

import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.template.ModelTemplates;
import dev.semantic.mlx.tokenizer.TokenizerExport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The files that a GGUF file's metadata make: tokenizer, templates, end tokens, licence. */
final class GgufFiles implements AuxiliaryFiles {
  /** More than any tokenizer has. */
  private static final long SPARE_BYTES = 64L << 20;

  private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_-]+");
  private static final Pattern LICENSE = Pattern.compile("[\\w.+-]{1,60}");

  private final TokenizerExport tokenizer;
  private final int contextLength;
  private final Map<String, Object> metadata;

  GgufFiles(Checkpoint checkpoint) {
    this.metadata = checkpoint.metadata();
    this.tokenizer = new TokenizerExport(checkpoint.path(), metadata);
    this.contextLength = checkpoint.decoder().contextLength();
  }

  @Override
  public long bytes() {
    return SPARE_BYTES;
  }

  @Override
  public void writeTo(TargetDirectory place) throws IOException {
    place.write("tokenizer.json", tokenizer::writeTokenizer);
    Map<String, Object> settings = new TreeMap<>(tokenizer.settings(contextLength));
    Map<String, String> templates = new TreeMap<>(tokenizer.templates());
    if (!templates.isEmpty()) {
      settings.put("chat_template", inSettings(templates));
    }
    place.writeJson("tokenizer_config.json", settings);
    for (Map.Entry<String, String> template : templates.entrySet()) {
      byte[] text = template.getValue().getBytes(StandardCharsets.UTF_8);
      if (template.getKey().equals(ModelTemplates.DEFAULT)) {
        place.write("chat_template.jinja", out -> out.write(text));
      } else if (FILE_NAME.matcher(template.getKey()).matches()) {
        place.write(
            "additional_chat_templates/%s.jinja".formatted(template.getKey()),
            out -> out.write(text));
      }
    }
    Map<String, Object> generation = new TreeMap<>(tokens());
    generation.put("eos_token_id", tokenizer.ends());
    place.writeJson("generation_config.json", generation);
    if (metadata.get("general.license") instanceof String license
        && LICENSE.matcher(license).matches()) {
      String card = "---\nlicense: %s\nlibrary_name: mlx\n---\n".formatted(license);
      place.write("README.md", out -> out.write(card.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** A text where there is only one, else a list of those with their names. */
  private static Object inSettings(Map<String, String> templates) {
    String only = templates.get(ModelTemplates.DEFAULT);
    if (only != null && templates.size() == 1) {
      return only;
    }
    List<Map<String, String>> list = new ArrayList<>();
    templates.forEach((name, text) -> list.add(Map.of("name", name, "template", text)));
    return list;
  }

  @Override
  public Map<String, Object> tokens() {
    Map<String, Object> tokens = new LinkedHashMap<>();
    tokenizer.bos().ifPresent(bos -> tokens.put("bos_token_id", bos));
    tokenizer.ends().stream().findFirst().ifPresent(eos -> tokens.put("eos_token_id", eos));
    return tokens;
  }
}
