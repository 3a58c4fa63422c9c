package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.memory.ByteSize;
import dev.semantic.store.CacheDetails;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.ParkedCache;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A parked cache in both forms in which it is shown. */
final class CacheFields {
  private CacheFields() {}

  /** What cannot be read from a file is null. */
  static Map<String, @Nullable Object> json(CacheEntry entry) {
    ParkedCache cache = entry.cache().orElse(null);
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("agent", cache == null ? null : cache.agent().name());
    fields.put("model", cache == null ? null : cache.tag().model());
    fields.put("fingerprint", cache == null ? null : cache.tag().fingerprint());
    fields.put("tokens", cache == null ? null : cache.tokens());
    fields.put("bytes", entry.size().bytes());
    fields.put("parked", cache == null ? null : cache.when().toString());
    fields.put("state", state(entry));
    return fields;
  }

  static Map<String, @Nullable Object> json(CacheEntry entry, CacheDetails details) {
    Map<String, @Nullable Object> fields = json(entry);
    fields.put(
        "layers",
        details.layout().layers().stream()
            .map(
                layer ->
                    Map.of(
                        "kv_heads", layer.kvHeads(),
                        "head_dim", layer.headDim(),
                        "window", layer.window()))
            .toList());
    fields.put("precision", details.precision().name().toLowerCase(Locale.ROOT));
    fields.put("encoding", details.encoding().name().toLowerCase(Locale.ROOT));
    fields.put("blocks", details.blocks());
    if (details.imported()) {
      fields.put("imported", true);
    }
    return fields;
  }

  static String state(CacheEntry entry) {
    return entry.state().name().toLowerCase(Locale.ROOT);
  }

  static String table(List<CacheEntry> entries) {
    return entries.isEmpty()
        ? "Nothing is parked here."
        : entries.stream().map(CacheFields::line).collect(Collectors.joining("\n"));
  }

  private static String line(CacheEntry entry) {
    return entry
        .cache()
        .map(
            cache ->
                "%-24s %-40s %7d tokens %9s  %s  %s"
                    .formatted(
                        PlainText.name(cache.agent().name()),
                        PlainText.name(cache.tag()),
                        cache.tokens(),
                        entry.size(),
                        cache.when(),
                        state(entry)))
        .orElseGet(
            () ->
                "%s: %s, %s; %s"
                    .formatted(
                        PlainText.name(entry.file()),
                        entry.size(),
                        state(entry),
                        PlainText.name(entry.problem().orElse("it cannot be read"))));
  }

  static String table(Map<String, @Nullable Object> fields) {
    return fields.entrySet().stream()
        .map(
            field ->
                "%-12s %s"
                    .formatted(field.getKey(), PlainText.name(String.valueOf(field.getValue()))))
        .collect(Collectors.joining("\n"));
  }

  /** What an export or an import did. */
  static Map<String, Object> json(ParkedCache cache, ByteSize size, String file) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("agent", cache.agent().name());
    fields.put("model", cache.tag().model());
    fields.put("bytes", size.bytes());
    fields.put("file", file);
    return fields;
  }

  /** What archiving or removing did. */
  static Answer sum(String done, int agents, String more, long bytes) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("agents", agents);
    fields.put("bytes", bytes);
    return new Answer(
        fields, () -> "%s %d caches%s, %s".formatted(done, agents, more, new ByteSize(bytes)));
  }
}
