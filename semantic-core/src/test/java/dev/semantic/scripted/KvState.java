package dev.semantic.scripted;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout.Layer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Keys and values of one sequence, and the next token they give. A key or value is a number made of
 * the model, the layer, the token and its position; the next token is a hash of all that are held.
 */
final class KvState {
  private final Geometry model;
  private final List<Integer> tokens = new ArrayList<>();
  private final int[] starts;
  private final List<List<Integer>> seeds; // per layer, one a token held

  KvState(Geometry model) {
    this.model = model;
    this.starts = new int[model.layout().layers().size()];
    this.seeds = new ArrayList<>();
    for (int layer = 0; layer < starts.length; layer++) {
      seeds.add(new ArrayList<>());
    }
  }

  /** From a snapshot's keys and values; its tokens are only remembered. */
  KvState(Geometry model, KvSnapshot snapshot) {
    this(model);
    Arrays.stream(snapshot.tokens()).forEach(tokens::add);
    for (int layer = 0; layer < starts.length; layer++) {
      LayerKv kv = snapshot.layers().get(layer);
      starts[layer] = kv.start();
      for (int i = 0; i < kv.length(); i++) {
        seeds.get(layer).add(seed(kv, i, model.layout().layers().get(layer)));
      }
    }
  }

  /** A state of its own with the first tokens of this one; empty if a window has moved on. */
  Optional<KvState> fork(int length) {
    KvState fork = new KvState(model);
    fork.tokens.addAll(tokens);
    for (int layer = 0; layer < starts.length; layer++) {
      fork.starts[layer] = starts[layer];
      fork.seeds.get(layer).addAll(seeds.get(layer));
    }
    return fork.trim(length) ? Optional.of(fork) : Optional.empty();
  }

  void append(int... more) {
    for (int token : more) {
      int position = tokens.size();
      tokens.add(token);
      for (int layer = 0; layer < starts.length; layer++) {
        seeds.get(layer).add(mix(mix(mix(model.weights(), layer), token), position));
        int held = model.layout().layers().get(layer).held(tokens.size());
        while (seeds.get(layer).size() > held) {
          seeds.get(layer).removeFirst();
          starts[layer]++;
        }
      }
    }
  }

  /** Mostly a letter, one time in sixty-four the end. */
  int next() {
    int hash = 17;
    for (List<Integer> layer : seeds) {
      for (int seed : layer) {
        hash = mix(hash, seed);
      }
    }
    int positive = hash & Integer.MAX_VALUE;
    return positive % 64 == 0 ? Geometry.END : model.firstByteToken() + 'a' + positive % 26;
  }

  boolean trim(int length) {
    for (int layer = 0; layer < starts.length; layer++) {
      int window = model.layout().layers().get(layer).window();
      if (window != 0 && starts[layer] > Math.max(0, length - window)) {
        return false;
      }
    }
    for (int layer = 0; layer < starts.length; layer++) {
      List<Integer> held = seeds.get(layer);
      held.subList(Math.max(0, length - starts[layer]), held.size()).clear();
    }
    tokens.subList(length, tokens.size()).clear();
    return true;
  }

  int length() {
    return tokens.size();
  }

  int[] tokens() {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  long bytes() {
    return model.layout().bytes(tokens.size(), model.spec().kvPrecision());
  }

  KvSnapshot snapshot() {
    List<LayerKv> layers = new ArrayList<>();
    for (int layer = 0; layer < starts.length; layer++) {
      Layer shape = model.layout().layers().get(layer);
      layers.add(
          new LayerKv(
              starts[layer],
              seeds.get(layer).size(),
              buffer(seeds.get(layer), shape, 0),
              buffer(seeds.get(layer), shape, 1)));
    }
    return new KvSnapshot(
        model.tag(), model.layout(), model.spec().kvPrecision(), tokens(), layers);
  }

  /** {@code [kvHeads, length, headDim]}: head and dimension change every number. */
  private static ByteBuffer buffer(List<Integer> seeds, Layer shape, int which) {
    ByteBuffer buffer =
        ByteBuffer.allocate(4 * shape.kvHeads() * seeds.size() * shape.headDim())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int head = 0; head < shape.kvHeads(); head++) {
      for (int seed : seeds) {
        for (int dim = 0; dim < shape.headDim(); dim++) {
          buffer.putInt(seed + which + 2 * (head * shape.headDim() + dim));
        }
      }
    }
    return buffer.flip();
  }

  /** Every number of a token counts: one that is damaged changes its seed. */
  private static int seed(LayerKv kv, int token, Layer shape) {
    ByteBuffer keys = kv.keys().order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer values = kv.values().order(ByteOrder.LITTLE_ENDIAN);
    int first = keys.getInt(keys.position() + 4 * token * shape.headDim());
    int damage = 0;
    for (int head = 0; head < shape.kvHeads(); head++) {
      for (int dim = 0; dim < shape.headDim(); dim++) {
        int at = 4 * ((head * kv.length() + token) * shape.headDim() + dim);
        int expected = first + 2 * (head * shape.headDim() + dim);
        damage |= keys.getInt(keys.position() + at) ^ expected;
        damage |= values.getInt(values.position() + at) ^ (expected + 1);
      }
    }
    return first ^ damage;
  }

  private static int mix(int hash, int value) {
    int mixed = (hash ^ value) * 0x9E3779B1 + value;
    mixed ^= mixed >>> 15;
    mixed *= 0x85EBCA77;
    return mixed ^ mixed >>> 13;
  }
}
