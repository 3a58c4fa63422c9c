package dev.semantic.mlx.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.mlx.tokenizer.ChatTokenizer;
import dev.semantic.mlx.tokenizer.Tokenizers;
import dev.semantic.model.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * GGUF files: metadata, vocabularies, chat templates and shapes that say something else, in a file
 * whose counts, lengths and offsets say the same.
 */
public final class GgufFuzz implements FuzzTarget {
  private static final int LARGEST = 1 << 16;
  private static final List<ObjectNode> GOOD = List.of(gguf("gpt2"), gguf("llama"));

  private final Path file;

  private GgufFuzz(Path directory) {
    this.file = directory.resolve("m.gguf");
  }

  public static FuzzTarget make(Path directory) {
    return new GgufFuzz(directory);
  }

  /** A llama of one layer, as a tree. */
  private static ObjectNode gguf(String tokenizer) {
    ObjectNode root = JsonEdits.JSON.createObjectNode().put("version", 3);
    ObjectNode metadata = root.putObject("metadata");
    metadata.put("general.architecture", "llama").put("general.alignment", 32);
    metadata.put("llama.embedding_length", 8).put("llama.block_count", 1);
    metadata.put("llama.attention.head_count", 2).put("llama.attention.head_count_kv", 1);
    metadata.put("llama.feed_forward_length", 16).put("llama.context_length", 32);
    metadata.put("llama.attention.layer_norm_rms_epsilon", 1e-5);
    metadata.put("llama.rope.freq_base", 10000.0).put("llama.rope.scaling.type", "linear");
    metadata.put("llama.rope.scaling.factor", 2.0).put("llama.attention.sliding_window", 16);
    metadata.put("tokenizer.ggml.model", tokenizer).put("tokenizer.ggml.pre", "llama-bpe");
    ArrayNode tokens = metadata.putArray("tokenizer.ggml.tokens");
    List.of("<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "<0x41>", "<|end|>").forEach(tokens::add);
    ArrayNode scores = metadata.putArray("tokenizer.ggml.scores");
    ArrayNode types = metadata.putArray("tokenizer.ggml.token_type");
    for (int type : new int[] {2, 3, 3, 1, 1, 1, 1, 6, 4}) {
      types.add(type);
      scores.add(-1.5 * type);
    }
    metadata.putArray("tokenizer.ggml.merges").add("a b");
    metadata.put("tokenizer.ggml.bos_token_id", 1).put("tokenizer.ggml.eos_token_id", 2);
    metadata.put("tokenizer.ggml.add_bos_token", true);
    metadata.put(
        "tokenizer.chat_template", "{% for m in messages %}<s>{{ m.content }}</s>{% endfor %}");
    ArrayNode tensors = root.putArray("tensors");
    tensor(tensors, "token_embd.weight", 9, 8);
    tensor(tensors, "blk.0.attn_norm.weight", 8);
    tensor(tensors, "blk.0.attn_q.weight", 8, 8);
    tensor(tensors, "blk.0.attn_k.weight", 4, 8);
    tensor(tensors, "blk.0.attn_v.weight", 4, 8);
    tensor(tensors, "blk.0.attn_output.weight", 8, 8);
    tensor(tensors, "blk.0.ffn_norm.weight", 8);
    tensor(tensors, "blk.0.ffn_gate.weight", 16, 8);
    tensor(tensors, "blk.0.ffn_up.weight", 16, 8);
    tensor(tensors, "blk.0.ffn_down.weight", 8, 16);
    tensor(tensors, "output_norm.weight", 8);
    tensor(tensors, "rope_freqs.weight", 2);
    return root;
  }

  private static void tensor(ArrayNode tensors, String name, int... shape) {
    ObjectNode tensor = tensors.addObject().put("name", name).put("type", 0);
    ArrayNode lengths = tensor.putArray("shape");
    for (int i = shape.length - 1; i >= 0; i--) {
      lengths.add(shape[i]);
    }
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    JsonNode tree = JsonEdits.edited(recipe.one(GOOD), recipe);
    byte[] bytes = bytes(tree, recipe);
    if (recipe.sometimes(8)) {
      bytes = recipe.bent(bytes);
    }
    Files.write(file, bytes);
    try {
      GgufHeader.read(file, MemorySegment.ofArray(bytes));
    } catch (ModelException e) {
      return Depth.FRONT;
    }
    try (Checkpoint checkpoint = Checkpoints.open(file);
        ChatTokenizer text = Tokenizers.open(file, checkpoint.metadata()).get()) {
      text.decode(text.encode("a b<s> <|end|>é", true));
      return Depth.TAKEN;
    } catch (ModelException e) {
      return Depth.INSIDE;
    }
  }

  private static byte[] bytes(JsonNode tree, Recipe recipe) {
    JsonNode metadata = tree.path("metadata");
    JsonNode tensors = tree.path("tensors");
    Out out = new Out();
    out.int32(0x46554747).int32(tree.path("version").asInt(3));
    out.int64(tensors.size()).int64(metadata.size());
    metadata.properties().forEach(pair -> out.string(pair.getKey()).value(pair.getValue()));
    boolean right = !recipe.sometimes(4);
    long offset = 0;
    for (JsonNode tensor : tensors) {
      JsonNode shape = tensor.path("shape");
      out.string(tensor.path("name").asText()).int32(shape.size());
      long elements = 1;
      for (JsonNode length : shape) {
        out.int64(length.asLong());
        elements *= length.asLong();
      }
      out.int32(tensor.path("type").asInt());
      out.int64(right ? offset : tensor.path("offset").asLong(recipe.number(offset)));
      offset += Math.ceilDiv(4 * elements, 32) * 32;
    }
    out.align();
    for (int i = (int) Math.max(0, Math.min(LARGEST, offset)) / 4; i > 0; i--) {
      out.int32(Float.floatToRawIntBits(1));
    }
    return out.bytes.toByteArray();
  }

  /** What a file is made of. */
  private static final class Out {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Out int32(int number) {
      return put(4, number);
    }

    Out int64(long number) {
      return put(8, number);
    }

    private Out put(int count, long number) {
      for (int i = 0; i < count; i++) {
        bytes.write((int) (number >> (8 * i)));
      }
      return this;
    }

    Out string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      int64(utf8.length);
      bytes.writeBytes(utf8);
      return this;
    }

    void align() {
      bytes.writeBytes(new byte[Math.floorMod(-bytes.size(), 32)]);
    }

    private static int type(JsonNode value) {
      return switch (value.getNodeType()) {
        case STRING -> 8;
        case BOOLEAN -> 7;
        case ARRAY -> 9;
        case NUMBER -> value.isIntegralNumber() ? (value.canConvertToInt() ? 5 : 11) : 12;
        default -> 13; // there is none
      };
    }

    Out value(JsonNode value) {
      return int32(type(value)).content(type(value), value);
    }

    private Out content(int type, JsonNode value) {
      switch (type) {
        case 5 -> int32(value.asInt());
        case 7 -> bytes.write(value.asBoolean() ? 1 : 0);
        case 8 -> string(value.asText());
        case 9 -> {
          int inner = value.isEmpty() ? 5 : type(value.get(0));
          int32(inner).int64(value.size());
          for (JsonNode each : value) {
            content(inner, each);
          }
        }
        case 11 -> int64(value.asLong());
        case 12 -> int64(Double.doubleToRawLongBits(value.asDouble()));
        default -> {}
      }
      return this;
    }
  }
}
