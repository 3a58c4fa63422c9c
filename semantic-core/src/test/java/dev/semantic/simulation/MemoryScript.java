package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.swap.ModelSwapException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * A script of what befalls agents' memory, one line each, carried out beside the simple {@link
 * Memory}: pool, hot tier and disk tier in virtual time on a real, faulty disk. Every answer must
 * be what its weights say; no more may be reused than was ever computed, and no less than the agent
 * holds, unless a file or the disk was broken before.
 */
final class MemoryScript {
  private static final List<String> AGENTS = List.of("ada", "bob", "eve", "dan");
  private static final List<String> MODELS = List.of("alpha", "beta", "gamma", "twin");
  private static final int LONGEST = 1200;

  private final Path directory;
  private final FaultyDisk disk = FaultyDisk.create();
  private final SimulatedTimeline time;
  private final boolean writeBehind;
  private final Memory memory = new Memory();
  private final Map<String, int[]> texts = new HashMap<>();
  private DiskCacheStore store;
  private ScriptedHost host;
  private boolean broken;
  private int reused;

  private MemoryScript(Path directory, long seed) {
    this.directory = directory;
    this.time = new SimulatedTimeline(seed, 10);
    this.writeBehind = seed % 2 == 0;
    this.store = DiskCacheStore.open(disk.path(directory));
    this.host = open();
    host.registry.load(Geometry.ALPHA.id());
  }

  /** The script of a seed; its first line says in which order threads take turns. */
  static List<String> of(long seed, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> script = new ArrayList<>();
    script.add("schedule " + seed);
    for (int i = 0; i < length; i++) {
      script.add(line(random));
    }
    return script;
  }

  private static String line(SplittableRandom random) {
    String agent = AGENTS.get(random.nextInt(AGENTS.size()));
    int small = random.nextInt(1000);
    return switch (random.nextInt(22)) {
      case 0, 1, 2, 3, 4 -> "say %s %d".formatted(agent, 1 + random.nextInt(300));
      case 5, 6 -> "begin %s %d".formatted(agent, random.nextInt(400));
      case 7, 8 -> "edit %s %d".formatted(agent, small);
      case 9 -> "again %s".formatted(agent);
      case 10 -> "cut %s %d".formatted(agent, small);
      case 11 -> "copy %s %s".formatted(agent, AGENTS.get(random.nextInt(AGENTS.size())));
      case 12 -> "cancel %s %d".formatted(agent, random.nextInt(30));
      case 13 -> "crowd %d".formatted(500 + random.nextInt(1500));
      case 14, 15, 16 -> "swap %s".formatted(MODELS.get(random.nextInt(MODELS.size())));
      case 17 -> "unload";
      case 18, 19 -> "reopen";
      case 20 -> "fail %d".formatted(1 + random.nextInt(40));
      default -> "damage %d".formatted(small);
    };
  }

  /**
   * Carries a script out.
   *
   * @return tokens that were reused
   */
  static int run(List<String> script, Path directory) {
    long seed = Long.parseLong(script.getFirst().split(" ", -1)[1]);
    MemoryScript run = new MemoryScript(directory, seed);
    for (String line : script.subList(1, script.size())) {
      try {
        run.carryOut(line.split(" ", -1));
      } catch (Throwable t) {
        throw new AssertionError("at: " + line, t);
      }
    }
    run.close();
    assertEquals(List.of(), run.time.living());
    return run.reused;
  }

  private ScriptedHost open() {
    return new ScriptedHost(
        ScriptedHost.ROOMY,
        builder ->
            Simulated.in(time, builder)
                .caches(store)
                .cacheBytes(ByteSize.parse("384KiB")) // 24 blocks of alpha's, 8 of beta's
                .engine(new EngineOptions(3, 100, Duration.ofHours(2), 2, writeBehind)));
  }

  private void close() {
    disk.inject(Fault.NONE);
    host.close();
    store.close();
    time.pause(Duration.ofMinutes(1));
  }

  private void carryOut(String[] line) {
    int number = line.length > 1 ? number(line[line.length - 1]) : 0;
    switch (line[0]) {
      case "say" -> ask(line[1], append(text(line[1]), tokens(number, number)));
      case "begin" -> ask(line[1], append(tokens(600, 1), tokens(1 + number, number)));
      case "edit" -> {
        int[] text = text(line[1]);
        ask(line[1], Memory.edited(text, number % text.length, number));
      }
      case "again" -> ask(line[1], text(line[1]));
      case "cut" -> ask(line[1], Arrays.copyOf(text(line[1]), 1 + number % text(line[1]).length));
      case "copy" -> ask(line[1], text(line[2]));
      case "cancel" -> cancel(line[1], number);
      case "crowd" -> crowd(number);
      case "swap" -> swap(new ModelId(line[1]));
      case "unload" -> unload();
      case "reopen" -> reopen();
      case "fail" -> {
        disk.inject(Fault.once(number));
        broken = true;
      }
      case "damage" -> damage(number);
      default -> throw new IllegalArgumentException(line[0]);
    }
  }

  private static int number(String word) {
    return Character.isDigit(word.charAt(0)) ? Integer.parseInt(word) : 0;
  }

  private int[] text(String agent) {
    return texts.getOrDefault(agent, tokens(3, agent.length()));
  }

  private static int[] append(int[] one, int[] more) {
    int[] all = Arrays.copyOf(one, Math.min(LONGEST, one.length + more.length));
    System.arraycopy(more, 0, all, one.length, all.length - one.length);
    return all;
  }

  private Geometry model() {
    String serving = host.registry.current().orElseThrow().id().name();
    return Geometry.valueOf(serving.toUpperCase(Locale.ROOT));
  }

  private void ask(String agent, int[] prompt) {
    int[] before = texts.get(agent);
    int[] within = prompt.length > LONGEST ? Arrays.copyOf(prompt, LONGEST) : prompt;
    GenerationResult answer;
    try {
      answer = await(host.ask(request(agent, within, 3)));
    } catch (RequestException refused) {
      assertNoRoom(refused);
      return;
    }
    check(agent, within, answer);
    int[] said = ScriptedHost.said(within, answer);
    memory.keep(model(), agent, said);
    texts.put(agent, said.length > LONGEST && before != null ? tokens(5, said.length) : said);
  }

  private void check(String agent, int[] prompt, GenerationResult answer) {
    Geometry model = model();
    assertEquals(model.answer(prompt, 3), answer.tokens());
    int cached = answer.cachedTokens();
    int most = memory.most(model, prompt);
    assertTrue(cached <= most, () -> cached + " reused, but " + most + " were ever computed");
    int least = memory.least(model, agent, prompt);
    assertTrue(broken || cached >= least, () -> cached + " reused of " + least + " that are held");
    reused += cached;
  }

  /** Only because somebody idle could not be parked. */
  private void assertNoRoom(RequestException refused) {
    assertTrue(broken, () -> "nothing is broken: " + refused);
    assertSays("No room", refused);
  }

  private static GenerationRequest request(String agent, int[] prompt, int atMost) {
    return GenerationRequest.of(new Prompt.Tokens(prompt))
        .agent(new AgentId(agent))
        .maxTokens(atMost)
        .prefillChunk(100)
        .build();
  }

  private GenerationResult await(Generation generation) {
    while (!generation.isDone()) {
      time.pause(Duration.ofMillis(1));
    }
    return generation.await();
  }

  private void cancel(String agent, int steps) {
    int[] prompt = append(text(agent), tokens(90, steps));
    Generation generation = host.ask(request(agent, prompt, 40));
    time.pause(Duration.ofNanos(steps * 20_000L));
    generation.cancel();
    while (!generation.isDone()) {
      time.pause(Duration.ofMillis(1));
    }
    List<Integer> answer = model().answer(prompt, 40);
    int[] all = Arrays.copyOf(prompt, prompt.length + answer.size());
    for (int i = 0; i < answer.size(); i++) {
      all[prompt.length + i] = answer.get(i);
    }
    memory.mayKeep(model(), agent, all);
  }

  /** Somebody whom nobody remembers needs room, at once with another. */
  private void crowd(int length) {
    int[] prompt = tokens(Math.min(length, 1700), length);
    Generation one = host.ask(GenerationRequest.of(new Prompt.Tokens(prompt)).maxTokens(2).build());
    Generation two =
        host.ask(GenerationRequest.of(new Prompt.Tokens(tokens(300, length))).maxTokens(2).build());
    for (Generation each : List.of(one, two)) {
      try {
        await(each);
      } catch (RequestException refused) {
        assertNoRoom(refused);
      }
    }
    memory.mayKeep(model(), "", prompt);
    memory.mayKeep(model(), "", tokens(300, length));
  }

  private void swap(ModelId target) {
    try {
      host.registry.swapWithRollback(target);
    } catch (ModelSwapException failed) {
      assertTrue(broken, () -> "nothing is broken: " + failed);
      assertTrue(failed.serving().isPresent(), "and nothing serves");
    }
  }

  private void unload() {
    Geometry before = model();
    try {
      host.registry.unload();
      host.registry.load(before.id());
    } catch (ModelSwapException failed) {
      assertTrue(broken, () -> "nothing is broken: " + failed);
    }
  }

  private void reopen() {
    Geometry before = model();
    disk.inject(Fault.NONE);
    host.close();
    store.close();
    store = DiskCacheStore.open(disk.path(directory));
    host = open();
    host.registry.load(before.id());
  }

  /** One bit of one file, while nobody looks. */
  private void damage(int which) {
    try (Stream<Path> found = Files.walk(directory)) {
      List<Path> files =
          found
              .filter(Files::isRegularFile)
              .filter(file -> !file.toString().contains("quarantine"))
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        return;
      }
      Path file = files.get(which % files.size());
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length > 0) {
        bytes[(int) (which * 7919L % bytes.length)] ^= (byte) (1 << which % 8);
        Files.write(file, bytes);
        broken = true;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
