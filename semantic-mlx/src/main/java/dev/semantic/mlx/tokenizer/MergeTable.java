package dev.semantic.mlx.tokenizer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The merges of a SentencePiece vocabulary, which holds scores instead: every split of a token into
 * two tokens is a merge, those of the best-scored tokens come first. That gives llama.cpp's tokens.
 */
final class MergeTable {
  /** Two neighbours that become one token. */
  record Merge(String left, String right) {}

  private MergeTable() {}

  static List<Merge> fromScores(GgufVocabulary vocabulary) {
    List<String> tokens = vocabulary.tokens();
    float[] scores = new float[tokens.size()];
    List<Float> given = vocabulary.scores();
    Map<String, Integer> ids = new HashMap<>(tokens.size() * 2);
    for (int id = 0; id < scores.length; id++) {
      scores[id] = given.get(id);
      if (!vocabulary.isSpecial(id) && !vocabulary.isByte(id)) {
        ids.putIfAbsent(tokens.get(id), id);
      }
    }
    Integer[] order =
        IntStream.range(0, scores.length)
            .filter(id -> Objects.equals(ids.get(tokens.get(id)), id))
            .boxed()
            .toArray(Integer[]::new);
    Arrays.sort(order, (a, b) -> Float.compare(scores[b], scores[a])); // stable: ties by id
    return Arrays.stream(order)
        .parallel()
        .map(id -> splits(tokens.get(id), ids))
        .flatMap(List::stream)
        .toList();
  }

  private static List<Merge> splits(String token, Map<String, Integer> ids) {
    record Split(int left, int right, Merge merge) {}
    List<Split> splits = new java.util.ArrayList<>(2);
    for (int i = token.offsetByCodePoints(0, token.isEmpty() ? 0 : 1);
        i < token.length();
        i = token.offsetByCodePoints(i, 1)) {
      Integer left = ids.get(token.substring(0, i));
      Integer right = left == null ? null : ids.get(token.substring(i));
      if (left != null && right != null) {
        splits.add(new Split(left, right, new Merge(token.substring(0, i), token.substring(i))));
      }
    }
    splits.sort(java.util.Comparator.comparingInt(Split::left).thenComparingInt(Split::right));
    return splits.stream().map(Split::merge).toList();
  }
}
