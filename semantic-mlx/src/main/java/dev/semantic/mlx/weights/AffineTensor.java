package dev.semantic.mlx.weights;

import java.lang.foreign.MemorySegment;

/**
 * A matrix in MLX's affine quantised form: a number is {@code scale * q + bias} of its group.
 *
 * @param weights uint32 {@code [rows, columns * bits / 32]}, lowest bits first
 * @param scales float32 {@code [rows, columns / groupSize]}
 * @param biases float32, like {@code scales}
 */
public record AffineTensor(
    int rows,
    int columns,
    int groupSize,
    int bits,
    MemorySegment weights,
    MemorySegment scales,
    MemorySegment biases) {}
