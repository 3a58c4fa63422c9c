package dev.semantic.mlx.hosts;

import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.List;

/** A host that has a model in a process of its own. Says the model's next token. */
public final class HostProgram {
  private HostProgram() {}

  public static void main(String[] args) {
    try (IsolatedRuntime runtime = IsolatedRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId("smollm2-135m-instruct"));
        LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      int[] tokens = prepared.text().encode("The capital of France is", false);
      float[] logits = model.forward(List.of(new Chunk(sequence, tokens, true))).getFirst();
      int best = 0;
      for (int i = 1; i < logits.length; i++) {
        best = logits[i] > logits[best] ? i : best;
      }
      System.out.println("next" + prepared.text().decode(new int[] {best}));
    }
  }
}
