#pragma once

#include "mlx/c/array.h"
#include "mlx/c/stream.h"

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
}
