package dev.semantic.mlx.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Directories in MLX's layout: configurations, indexes and headers that say something else. */
public final class SafetensorsFuzz implements FuzzTarget {
  private static final List<String> NAMES =
      List.of(
          "config.json",
          "config.json",
          TinyDirectory.shard(0),
          TinyDirectory.shard(1),
          "model.safetensors.index.json");
  private static final int LARGEST = 1 << 16;

  private final Path directory;

  private SafetensorsFuzz(Path directory) {
    this.directory = directory;
  }

  public static FuzzTarget make(Path directory) {
    return new SafetensorsFuzz(directory);
  }

  @Override
  public Depth read(Recipe recipe) throws IOException {
    new TinyDirectory().writeSharded(directory);
    Path changed = directory.resolve(recipe.one(NAMES));
    byte[] good = Files.readAllBytes(changed);
    boolean json = changed.toString().endsWith(".json");
    byte[] bad =
        recipe.sometimes(8) ? recipe.bent(good) : json ? json(good, recipe) : header(good, recipe);
    Files.write(changed, bad);
    if (!json) {
      try (MappedFile file = MappedFile.open(changed)) {
        SafetensorsHeader.read(file);
      } catch (ModelException e) {
        return Depth.FRONT;
      }
    }
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      Buffers buffers = new Buffers();
      TensorInfo first = checkpoint.tensors().values().iterator().next();
      String name = checkpoint.tensors().keySet().iterator().next();
      checkpoint.expand(name, 0, 1, new float[first.columns()], buffers);
      return Depth.TAKEN;
    } catch (ModelException e) {
      return Depth.INSIDE;
    }
  }

  private static byte[] json(byte[] good, Recipe recipe) throws IOException {
    return JsonEdits.JSON.writeValueAsBytes(
        JsonEdits.edited(JsonEdits.JSON.readTree(good), recipe));
  }

  private static byte[] header(byte[] good, Recipe recipe) throws IOException {
    int length = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode header =
        JsonEdits.edited(JsonEdits.JSON.readTree(Arrays.copyOfRange(good, 8, 8 + length)), recipe);
    long numbers = good.length - 8L - length;
    if (!recipe.sometimes(4)) {
      numbers = Math.max(0, Math.min(LARGEST, placed(header)));
    }
    return TinyDirectory.file(JsonEdits.JSON.writeValueAsString(header), (int) numbers);
  }

  /** One tensor behind the other; how many bytes that makes. */
  private static long placed(JsonNode header) {
    long end = 0;
    for (JsonNode tensor : header) {
      if (tensor instanceof ObjectNode entry && entry.has("shape")) {
        long bytes = width(entry.path("dtype").asText());
        for (JsonNode length : entry.get("shape")) {
          bytes *= length.asLong();
        }
        entry.putArray("data_offsets").add(end).add(end + bytes);
        end += bytes;
      }
    }
    return end;
  }

  private static int width(String dtype) {
    return switch (dtype) {
      case "U8", "I8", "BOOL" -> 1;
      case "F16", "BF16" -> 2;
      case "F64", "I64" -> 8;
      default -> 4;
    };
  }
}
