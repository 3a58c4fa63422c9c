package dev.semantic.mlx.convert;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.spi.LoadProgress;
import java.util.Optional;

/** What a host asks of a conversion. */
record ConversionOptions(
    Optional<Integer> bits,
    int groupSize,
    boolean dequantize,
    Optional<Dtype> dtype,
    ByteSize shardSize,
    LoadProgress progress) {}
