package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.store.CacheEntry;
import dev.semantic.store.CacheState;
import dev.semantic.store.CacheView;
import dev.semantic.store.ParkedCache;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Whether every byte is as it was written. */
@Command(
    name = "verify",
    description =
        "Reads caches whole and checks every byte; exit code 1 if one is damaged. What is"
            + " quarantined is known to be, and only looked at if asked for by --state.")
final class CachesVerify extends Subcommand {
  @Mixin private CacheDirectory directory = new CacheDirectory();
  @Mixin private CacheSelection selection = new CacheSelection();

  private boolean ok;

  @Override
  public Integer call() throws IOException {
    super.call();
    return ok ? 0 : 1;
  }

  @Override
  Answer answer() {
    CacheView view = directory.view();
    List<Map<String, @Nullable Object>> damaged = new ArrayList<>();
    int count = 0;
    for (CacheEntry entry : selection.of(view.list())) {
      if (entry.state() != CacheState.QUARANTINED || selection.isAbout(CacheState.QUARANTINED)) {
        count++;
        view.verify(entry).ifPresent(problem -> damaged.add(fields(entry, problem)));
      }
    }
    ok = damaged.isEmpty();
    int checked = count;
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("ok", ok);
    fields.put("damaged", damaged);
    return new Answer(fields, () -> text(checked, damaged));
  }

  private static Map<String, @Nullable Object> fields(CacheEntry entry, String problem) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    ParkedCache cache = entry.cache().orElse(null);
    fields.put("agent", cache == null ? null : cache.agent().name());
    fields.put("model", cache == null ? null : cache.tag().model());
    fields.put("file", entry.file().toString());
    fields.put("problem", problem);
    return fields;
  }

  private static String text(int checked, List<Map<String, @Nullable Object>> damaged) {
    StringBuilder text = new StringBuilder();
    damaged.forEach(
        each ->
            text.append(PlainText.name(each.get("file")))
                .append(": ")
                .append(PlainText.name(each.get("problem")))
                .append('\n'));
    return text.append("%d of %d caches are whole".formatted(checked - damaged.size(), checked))
        .toString();
  }
}
