package dev.semantic.mlx.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.TensorInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a model of a directory once more, with its weights in another number format. */
public final class RecastModel {
  /** What the numbers become. */
  public enum Form {
    F32("F32"),
    BF16("BF16"),
    F16("F16"),
    /** 4 bits in groups of 32, where a matrix can be cut so; all else in float32. */
    Q4_F32("F32"),
    /** The same, with scales and all else in bfloat16. */
    Q4_BF16("BF16");

    private final String plain;

    Form(String plain) {
      this.plain = plain;
    }

    public boolean quantised() {
      return this == Q4_F32 || this == Q4_BF16;
    }
  }

  private static final int GROUP = 32;
  private static final int MOST = 15; // in four bits

  private final Form form;
  private final Map<String, Object> header = new LinkedHashMap<>();
  private final ByteArrayOutputStream numbers = new ByteArrayOutputStream();

  private RecastModel(Form form) {
    this.form = form;
  }

  /** Into a directory that is made; what lies beside weights and configuration is left behind. */
  public static Path write(Path model, Form form, Path to) {
    try {
      Files.createDirectories(to);
      RecastModel recast = new RecastModel(form);
      try (Checkpoint checkpoint = Checkpoints.open(model)) {
        checkpoint.tensors().forEach((name, info) -> recast.add(checkpoint, name, info));
      }
      ObjectNode config = (ObjectNode) TinyModels.json(model.resolve("config.json"));
      config.remove(List.of("quantization", "quantization_config"));
      if (form.quantised()) {
        config.putObject("quantization").put("group_size", GROUP).put("bits", 4);
      }
      new ObjectMapper().writeValue(to.resolve("config.json").toFile(), config);
      Files.write(to.resolve("model.safetensors"), recast.file());
      return to;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(Checkpoint checkpoint, String name, TensorInfo info) {
    float[] values = new float[(int) info.elements()];
    checkpoint.expand(name, 0, info.rows(), values);
    if (form.quantised() && info.shape().length == 2 && info.columns() % GROUP == 0) {
      quantised(info.name(), info.shape(), values);
    } else {
      plain(info.name(), info.shape(), values);
    }
  }

  private void plain(String name, int[] shape, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (form.plain) {
        case "F32" -> bytes.putFloat(value);
        case "F16" -> bytes.putShort(Float.floatToFloat16(value));
        default -> bytes.putShort(bfloat16(value));
      }
    }
    entry(name, form.plain, shape, bytes);
  }

  /** To the nearest, ties to even; of a number that is finite. */
  private static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** The lowest number of a group is its bias, and four bits count the steps to the highest. */
  private void quantised(String name, int[] shape, float[] values) {
    ByteBuffer packed = ByteBuffer.allocate(values.length / 2);
    float[] scales = new float[values.length / GROUP];
    float[] biases = new float[scales.length];
    for (int g = 0; g < scales.length; g++) {
      float lowest = Float.POSITIVE_INFINITY;
      float highest = Float.NEGATIVE_INFINITY;
      for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
        lowest = Math.min(lowest, values[i]);
        highest = Math.max(highest, values[i]);
      }
      biases[g] = lowest;
      scales[g] = Math.max((highest - lowest) / MOST, 1e-6f);
      for (int i = g * GROUP; i < (g + 1) * GROUP; i += 2) {
        packed.put(
            (byte)
                (steps(values[i], g, scales, biases) // the lower half first
                    | steps(values[i + 1], g, scales, biases) << 4));
      }
    }
    String module = name.substring(0, name.lastIndexOf('.'));
    entry(name, "U32", new int[] {shape[0], shape[1] / 8}, packed);
    int[] groups = {shape[0], shape[1] / GROUP};
    plain(module + ".scales", groups, scales);
    plain(module + ".biases", groups, biases);
  }

  private static int steps(float value, int group, float[] scales, float[] biases) {
    return Math.clamp(Math.round((value - biases[group]) / scales[group]), 0, MOST);
  }

  private void entry(String name, String dtype, int[] shape, ByteBuffer bytes) {
    int begin = numbers.size();
    byte[] written = new byte[bytes.flip().remaining()];
    bytes.get(written);
    numbers.writeBytes(written);
    List<Integer> offsets = List.of(begin, numbers.size());
    header.put(name, Map.of("dtype", dtype, "shape", shape, "data_offsets", offsets));
  }

  private byte[] file() throws IOException {
    byte[] text = new ObjectMapper().writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(8 + text.length + numbers.size()).order(ByteOrder.LITTLE_ENDIAN);
    return out.putLong(text.length).put(text).put(numbers.toByteArray()).array();
  }
}
