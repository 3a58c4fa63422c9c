package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Agents of many lengths that come and go say in one batch, token for token, what each says alone:
 * at the edges of buffers, where windows are full and where they have moved, and with beginnings
 * that they share.
 */
@RequiresModels
class BatchedDecodeTest {
  private static final int ANSWER = 10;

  private static final String TEXT =
      """
      The river came down from the hills in spring and carried away the old bridge, and for a whole
      year the people of the two villages had to walk half a day to see each other. In the second
      year a carpenter from the upper village said that he would build another one, of oak, if the
      people of the lower village would bring the stones for its feet. They brought three hundred
      stones before the summer was over. The carpenter and his two daughters worked until the first
      snow, and when the ice broke the bridge stood. On market days nobody speaks of the year without
      it, but the children still play a game in which one of them is the river and the others must
      cross.\
      """;

  /**
   * One agent: its prompt, when it joins the batch, and when it is computed alone for comparison.
   *
   * @param prompt how many tokens of the text
   * @param joins at which step of the batch
   * @param of the agent whose sequence it begins with; its own number for none
   * @param shared how much of that it begins with
   */
  private record Agent(int prompt, int joins, int of, int shared) {
    static Agent alone(int prompt, int joins) {
      return new Agent(prompt, joins, -1, 0);
    }
  }

  /** Windows are 512 tokens long in Gemma, buffers grow at 256, 512, 768. */
  private static final List<Agent> AGENTS =
      List.of(
          Agent.alone(3, 0),
          Agent.alone(251, 0),
          Agent.alone(507, 2),
          Agent.alone(764, 4),
          new Agent(270, 5, 1, 240), // another text behind what the second agent began with
          new Agent(520, 8, 2, 500));

  @ParameterizedTest
  @CsvSource({"smollm2-135m-instruct", "gemma-3-270m"})
  void tokensAreThoseOfEachAlone(String name) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(name));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      int[] text = prepared.text().encode(TEXT.replace('\n', ' ').repeat(6), true);
      assertTrue(text.length >= 800, "a text of " + text.length);
      List<int[]> prompts = new ArrayList<>();
      for (int i = 0; i < AGENTS.size(); i++) {
        prompts.add(prompt(text, i));
      }
      List<KvSnapshot> begun = new ArrayList<>();
      List<int[]> alone = new ArrayList<>();
      for (int[] prompt : prompts) {
        alone.add(alone(model, prompt, begun));
      }
      int[][] together = together(model, prompts, begun);
      for (int i = 0; i < prompts.size(); i++) {
        assertArrayEquals(alone.get(i), together[i], "agent %d of %s".formatted(i, AGENTS));
      }
    }
  }

  /** The text up to where it is shared, and then another part of the text. */
  private static int[] prompt(int[] text, int index) {
    Agent agent = AGENTS.get(index);
    int[] prompt = Arrays.copyOf(text, agent.prompt());
    int own = agent.prompt() - agent.shared();
    if (agent.of() >= 0) {
      System.arraycopy(text, 40, prompt, agent.shared(), own);
    }
    return prompt;
  }

  private static int[] alone(LoadedModel model, int[] prompt, List<KvSnapshot> begun) {
    int[] tokens = new int[ANSWER];
    try (Sequence sequence = model.open()) {
      tell(model, sequence, Arrays.copyOf(prompt, prompt.length - 1));
      begun.add(sequence.snapshot());
      int next = prompt[prompt.length - 1];
      for (int i = 0; i < ANSWER; i++) {
        next = argmax(model.forward(List.of(chunk(sequence, next))).getFirst());
        tokens[i] = next;
      }
    }
    return tokens;
  }

  private static void tell(LoadedModel model, Sequence sequence, int[] prompt) {
    for (int from = sequence.length(); from < prompt.length; from += 200) {
      int[] part = Arrays.copyOfRange(prompt, from, Math.min(prompt.length, from + 200));
      model.forward(List.of(new Chunk(sequence, part, false)));
    }
  }

  private static Chunk chunk(Sequence sequence, int token) {
    return new Chunk(sequence, new int[] {token}, true);
  }

  /** An agent in the batch. */
  private record Talk(int agent, Sequence sequence, List<Integer> said) {
    int next(int[] prompt) {
      return said.isEmpty() ? prompt[prompt.length - 1] : said.getLast();
    }
  }

  private static int[][] together(LoadedModel model, List<int[]> prompts, List<KvSnapshot> begun) {
    int[][] answers = new int[prompts.size()][];
    List<Talk> present = new ArrayList<>();
    int joined = 0;
    int most = 0;
    for (int step = 0; joined < prompts.size() || !present.isEmpty(); step++) {
      for (int i = 0; i < prompts.size(); i++) {
        if (AGENTS.get(i).joins() == step) {
          Sequence sequence = join(model, i, prompts.get(i), present, begun.get(i));
          present.add(new Talk(i, sequence, new ArrayList<>()));
          joined++;
        }
      }
      most = Math.max(most, present.size());
      Collections.rotate(present, step);
      List<float[]> logits =
          model.forward(
              present.stream()
                  .map(talk -> chunk(talk.sequence(), talk.next(prompts.get(talk.agent()))))
                  .toList());
      for (int i = 0; i < logits.size(); i++) {
        present.get(i).said().add(argmax(logits.get(i)));
      }
      for (Talk talk : List.copyOf(present)) {
        if (talk.said().size() == ANSWER) {
          answers[talk.agent()] = talk.said().stream().mapToInt(Integer::intValue).toArray();
          talk.sequence().close();
          present.remove(talk);
        }
      }
    }
    assertTrue(most >= 5, "never more than %d at once".formatted(most));
    return answers;
  }

  private static Sequence join(
      LoadedModel model, int index, int[] prompt, List<Talk> present, KvSnapshot begun) {
    Agent agent = AGENTS.get(index);
    if (agent.of() < 0) {
      return model.restore(begun);
    }
    // from one that answers in this very batch, and goes on with what is now in parts
    Talk donor =
        present.stream().filter(talk -> talk.agent() == agent.of()).findFirst().orElseThrow();
    Sequence fork = donor.sequence().fork(agent.shared()).orElseThrow();
    assertEquals(agent.shared(), fork.length());
    tell(model, fork, Arrays.copyOf(prompt, prompt.length - 1));
    return fork;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
