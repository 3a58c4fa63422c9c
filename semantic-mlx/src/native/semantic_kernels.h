#pragma once

#include "mlx/c/array.h"
#include "mlx/c/stream.h"
#include "mlx/c/vector.h"

// The library's interface, in mlx-c's manner: a status, 0 for success; what went wrong is told to
// mlx-c's error handler on the calling thread; an array's handle is taken and given as mlx-c does.
#define SEMANTIC_API __attribute__((visibility("default")))

extern "C" {

// Chooses the instructions that products are computed with: "portable", "avx2", "avx-vnni",
// "avx512-vnni", or "" for the best that this processor has. All of them give the same bits.
SEMANTIC_API int semantic_kernels_use(const char* instruction_set);

// The name of the instructions that are in use.
SEMANTIC_API const char* semantic_kernels_instruction_set(void);

// How many threads compute at most, the calling one among them; one until this is called.
SEMANTIC_API int semantic_kernels_threads(int threads);

// x [.., in] times the rows of a matrix in MLX's affine form, giving [.., out] in the format of x.
// w uint32 [out, in * bits / 32], scales and biases [out, in / group_size].
SEMANTIC_API int semantic_quantized_matmul(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    int group_size,
    int bits,
    const mlx_stream s);

// What lies between products is for float32 numbers whose rows lie side by side in memory.

// both [.., 2 * n], giving [.., n]: the activation of the first half of a row times the second.
// 0 for x * sigmoid(x), 1 for GELU by its tanh approximation.
SEMANTIC_API int semantic_gated_activation(
    mlx_array* res, const mlx_array both, int activation, const mlx_stream s);

// x [.., n] over the root mean square of its row, times weights [n]; of x [batch, heads, tokens, n]
// also [heads, 1, n].
SEMANTIC_API int semantic_rms_norm(
    mlx_array* res, const mlx_array x, const mlx_array weights, float eps, const mlx_stream s);

// x [batch, heads, tokens, n], turned by tables [batch, 1, tokens, n]; the sines of the first half
// with their sign changed.
SEMANTIC_API int semantic_rotary(
    mlx_array* res,
    const mlx_array x,
    const mlx_array cosines,
    const mlx_array sines,
    const mlx_stream s);

// Attention of the last tokens of each of several sequences, each to itself and what lies before
// it: queries [sequences, heads, tokens, n]; keys, values, keys, values .. of pieces [1, kv_heads,
// tokens, n], counts[i] of them for a sequence, the first of which begins at position starts[i].
// A window has them see as many tokens, themselves included; 0 for all. Scores are bent to stay
// within softcap where that is not 0. Gives [sequences, heads, tokens, n].
SEMANTIC_API int semantic_attention(
    mlx_array* res,
    const mlx_array queries,
    const mlx_vector_array pieces,
    const int* counts,
    const int* starts,
    size_t sequences,
    int window,
    float scale,
    float softcap,
    const mlx_stream s);
}
