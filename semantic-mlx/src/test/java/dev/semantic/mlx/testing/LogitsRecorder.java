package dev.semantic.mlx.testing;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A runtime that notes all logits that its models give. Closing it does not close the one beneath.
 */
public final class LogitsRecorder implements ModelRuntime {
  private final ModelRuntime runtime;
  private final List<float[]> logits = new ArrayList<>();

  public LogitsRecorder(ModelRuntime runtime) {
    this.runtime = runtime;
  }

  /** Those since the last call, in the order in which they came. */
  public synchronized List<float[]> take() {
    List<float[]> all = List.copyOf(logits);
    logits.clear();
    return all;
  }

  private synchronized void note(List<float[]> given) {
    given.stream().filter(row -> row.length > 0).forEach(logits::add);
  }

  @Override
  public PreparedModel prepare(ModelId id) {
    return new Prepared(runtime.prepare(id));
  }

  @Override
  public MemoryProbe memory() {
    return runtime.memory();
  }

  @Override
  public void close() {}

  private final class Prepared implements PreparedModel {
    private final PreparedModel model;

    private Prepared(PreparedModel model) {
      this.model = model;
    }

    @Override
    public ModelSpec spec() {
      return model.spec();
    }

    @Override
    public Tokenizer text() {
      return model.text();
    }

    @Override
    public LoadedModel load(LoadProgress progress) {
      return new Loaded(model.load(progress));
    }

    @Override
    public void close() {
      model.close();
    }
  }

  private final class Loaded implements LoadedModel {
    private final LoadedModel model;

    private Loaded(LoadedModel model) {
      this.model = model;
    }

    @Override
    public ModelSpec spec() {
      return model.spec();
    }

    @Override
    public long bytes() {
      return model.bytes();
    }

    @Override
    public Sequence open() {
      return model.open();
    }

    @Override
    public Sequence restore(KvSnapshot snapshot) {
      return model.restore(snapshot);
    }

    @Override
    public Optional<KvAllocation> allocateKv() {
      return model.allocateKv();
    }

    @Override
    public List<float[]> forward(List<Chunk> batch) {
      List<float[]> given = model.forward(batch);
      note(given);
      return given;
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
