package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** What a model is, from its headers; no weight is read. */
@Command(name = "info", description = "Shows what a model is; reads no weights.")
final class InfoCommand extends ModelCommand {
  @Override
  Answer answer(ModelRuntime runtime, ModelId model) {
    try (PreparedModel prepared = runtime.prepare(model)) {
      Map<String, Object> fields = fields(prepared.spec());
      return new Answer(fields, () -> table(fields));
    }
  }

  private static String table(Map<String, Object> fields) {
    return fields.entrySet().stream()
        .map(field -> "%-20s %s".formatted(field.getKey(), PlainText.name(field.getValue())))
        .collect(Collectors.joining("\n"));
  }

  private static Map<String, Object> fields(ModelSpec spec) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("architecture", spec.architecture());
    fields.put("parameters", spec.parameters());
    fields.put("layers", spec.layers());
    fields.put("context_length", spec.contextLength());
    fields.put("quantization", spec.quantization());
    fields.put("compute", spec.compute());
    fields.put("file_bytes", spec.fileSize().bytes());
    fields.put("weight_bytes", spec.weightSize().bytes());
    fields.put("working_bytes", spec.workingSize().bytes());
    fields.put("kv_precision", spec.kvPrecision().name().toLowerCase(Locale.ROOT));
    fields.put("kv_bytes_per_token", spec.kvBytesPerToken());
    fields.put("fingerprint", spec.tag().fingerprint());
    return fields;
  }
}
