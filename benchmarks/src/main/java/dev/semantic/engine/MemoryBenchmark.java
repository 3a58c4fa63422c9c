package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the engine's books cost beside the model: the look-up of an idle agent's cache, who has to
 * leave, and what sixteen prompts of 4K tokens could share with each other and a hundred idle
 * agents, asked before every step.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up method before anything else
public class MemoryBenchmark {
  private static final int TOKENS = 4000;
  private static final Comparator<Request> ORDER = Comparator.comparingLong(Request::order);

  /** How many tokens all texts begin with, although nobody can give them away. */
  @Param({"0", "2048"})
  private int alike;

  private final IdleSequences idle = new IdleSequences();
  private final PrefixSharing prefixSharing = new PrefixSharing(idle);
  private final List<AgentId> agents = new ArrayList<>();
  private final List<Request> active = new ArrayList<>();
  private int next;

  /** Tokens as MLX's sequences hold them, without keys and values. */
  private record Text(int[] tokens) implements Sequence {
    @Override
    public int[] tokens() {
      return tokens.clone();
    }

    @Override
    public int length() {
      return tokens.length;
    }

    @Override
    public boolean trim(int length) {
      return false;
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public KvSnapshot snapshot() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }

  @Setup
  public void fill() {
    BlockPool pool = new BlockPool(ByteSize.ofGiB(1));
    pool.reconfigure(KvLayout.uniform(2, 1, 4), KvPrecision.FLOAT32);
    PreparedModel prepared = new ScriptedRuntime().prepare(Geometry.ALPHA.id());
    ServingModel serving = new ServingModel(prepared.load(LoadProgress.NONE), prepared.text());
    for (int i = 0; i < 100; i++) {
      AgentId agent = new AgentId("agent " + i);
      agents.add(agent);
      idle.put(agent, fresh(pool, text(i)));
    }
    for (int i = 0; i < 16; i++) {
      int[] prompt = text(1000 + i);
      GenerationRequest request = GenerationRequest.of(new Prompt.Tokens(prompt)).build();
      RequestOutput generation = new RequestOutput(Timeline.SYSTEM, () -> {});
      Request queued = Request.of(request, generation, Timeline.SYSTEM, Duration.ofHours(1));
      IdleSequence empty = fresh(pool, new int[0]);
      queued.begin(i, empty, serving, prompt, 0);
      active.add(queued);
    }
  }

  private static IdleSequence fresh(BlockPool pool, int[] tokens) {
    BlockPool.Lease lease = pool.lease();
    lease.growTo(tokens.length);
    return IdleSequence.of(lease, false, () -> new Text(tokens)).orElseThrow();
  }

  private int[] text(int seed) {
    SplittableRandom common = new SplittableRandom(-1);
    SplittableRandom own = new SplittableRandom(seed);
    int[] text = new int[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      text[i] = 20 + (i < alike ? common : own).nextInt(200);
    }
    return text;
  }

  private AgentId someone() {
    next = (next + 37) % agents.size();
    return agents.get(next);
  }

  @Benchmark
  public Optional<IdleSequence> lookUp() {
    return idle.peek(someone());
  }

  /** As each request does. */
  @Benchmark
  public IdleSequence takeAndPutBack() {
    AgentId agent = someone();
    IdleSequence taken = idle.take(agent).orElseThrow();
    idle.put(agent, taken);
    return taken;
  }

  @Benchmark
  public Optional<AgentId> whoHasToLeave() {
    return idle.coldest(Set.of());
  }

  @Benchmark
  public List<Request> whatCouldBeShared() {
    return prefixSharing.share(active, ORDER);
  }

  /** When another agent has fallen silent since the step before: everybody is looked at again. */
  @Benchmark
  public List<Request> whatCouldBeSharedNow() {
    takeAndPutBack();
    return prefixSharing.share(active, ORDER);
  }

  /** What a text costs once, when its request comes or its agent falls silent. */
  @Benchmark
  public BlockHashes hashesOfAText() {
    int[] prompt = active.getFirst().answer().tokens();
    return BlockHashes.of(prompt, prompt.length);
  }
}
