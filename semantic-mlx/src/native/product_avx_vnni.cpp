#include "product.h"

#include <utility>

#include <immintrin.h>

namespace semantic {
namespace {

inline __m256i add_products(__m256i sums, __m256i a, __m256i b) {
  return _mm256_dpwssd_avx_epi32(sums, a, b);
}

#include "product_256.inl"

constexpr int kWidth = 8;

#include "registers.inl"

inline Floats fused(Floats a, Floats b, Floats c) {
  return _mm256_fmadd_ps(a, b, c);
}

#include "layer.inl"

bool supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avxvnni");
}

} // namespace

const Product kAvxVnni{"avx-vnni", supported, widen, pack, multiply, kLayer, nullptr};

} // namespace semantic
