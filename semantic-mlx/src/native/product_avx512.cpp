#include "product.h"

#include <utility>

#include <immintrin.h>

// Registers of 64 bytes: a tile of a row is one, a vector's sixteen lanes are another.

namespace semantic {
namespace {

#include "packing.inl"

// Each group of `bits` bytes at the start of a quadword of its own.
template <int kBits>
__m512i spread_bytes() {
  alignas(64) std::uint8_t index[64];
  for (int i = 0; i < 64; i++) {
    index[i] = static_cast<std::uint8_t>(i / 8 * kBits + (i % 8 < kBits ? i % 8 : 0));
  }
  return _mm512_load_si512(index);
}

// Where in its quadword each of eight integers begins.
template <int kBits>
__m512i shifts() {
  alignas(64) std::uint8_t shift[64];
  for (int i = 0; i < 64; i++) {
    shift[i] = static_cast<std::uint8_t>(i % 8 * kBits);
  }
  return _mm512_load_si512(shift);
}

// A tile of a row, as bytes of unpacked_bits() each.
template <int kBits>
__m512i load(const std::uint8_t* from, std::size_t bytes) {
  const __mmask64 there = bytes >= 64 ? ~0ULL : (1ULL << bytes) - 1;
  const __m512i raw = _mm512_maskz_loadu_epi8(there, from);
  if constexpr (kBits == 2 || kBits == 4 || kBits == 8) {
    return raw;
  } else {
    const __m512i spread = _mm512_permutexvar_epi8(spread_bytes<kBits>(), raw);
    const __m512i each = _mm512_multishift_epi64_epi8(shifts<kBits>(), spread);
    return _mm512_and_si512(each, _mm512_set1_epi8((1 << kBits) - 1));
  }
}

float sum(__m512 lanes) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// Its integers with 16 bits each, those of one position in all words together.
template <int kBits>
inline void unpack(const std::uint8_t* from, std::size_t bytes, __m512i* to) {
  constexpr Layout kShape{0, kBits, kBlock};
  constexpr int kUnpacked = kShape.unpacked_bits();
  const __m512i raw = load<kBits>(from, bytes);
  const __m512i mask = _mm512_set1_epi16((1 << kUnpacked) - 1);
  for (int k = 0; k < kShape.vectors(); k++) {
    const __m512i shifted = k == 0 ? raw : _mm512_srli_epi16(raw, k * kUnpacked);
    to[k] = k == kShape.vectors() - 1 ? shifted : _mm512_and_si512(shifted, mask);
  }
}

// One row with a few vectors.
template <int kBits, int kCount>
void multiply_row(
    const Layout& layout,
    const std::uint8_t* row,
    const float* scales,
    const float* biases,
    const __m512i& group_of_lane,
    const std::byte* packed,
    float* out,
    std::size_t stride) {
  constexpr Layout kShape{0, kBits, kBlock};
  constexpr int kVectors = kShape.vectors();
  constexpr int kRaw = kShape.tile() / 8 * kBits;
  constexpr std::size_t kPackedTile = kShape.packed_tile_bytes();
  const std::size_t packed_bytes = layout.packed_bytes();
  const int tiles = layout.tiles();
  __m512 lanes[kCount];
  for (int v = 0; v < kCount; v++) {
    lanes[v] = _mm512_setzero_ps();
  }
  for (int group = 0; group < layout.groups(); group += kLanes) {
    const __m512 bias = _mm512_loadu_ps(biases + group);
    for (int v = 0; v < kCount; v++) {
      const std::byte* sums = packed + v * packed_bytes + tiles * kPackedTile;
      const __m512 of_group = _mm512_load_ps(reinterpret_cast<const float*>(sums) + group);
      lanes[v] = _mm512_fmadd_ps(bias, of_group, lanes[v]);
    }
  }
  std::size_t left = layout.row_bytes();
  for (int tile = 0; tile < tiles; tile++, left -= kRaw) {
    _mm_prefetch(reinterpret_cast<const char*>(row) + tile * kRaw + kAhead, _MM_HINT_T0);
    __m512i integers[kVectors];
    unpack<kBits>(row + tile * kRaw, left < kRaw ? left : kRaw, integers);
    const float* of_tile = scales + tile * kShape.tile() / layout.group;
    const __m512 scale = _mm512_permutexvar_ps(group_of_lane, _mm512_loadu_ps(of_tile));
    for (int v = 0; v < kCount; v++) {
      const std::byte* x = packed + v * packed_bytes + tile * kPackedTile;
      __m512i sums = _mm512_setzero_si512();
      for (int k = 0; k < kVectors; k++) {
        sums = _mm512_dpwssd_epi32(sums, integers[k], _mm512_load_si512(x + k * 64));
      }
      const __m512 x_scale = _mm512_load_ps(reinterpret_cast<const float*>(x + kVectors * 64));
      lanes[v] =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_mul_ps(scale, x_scale), lanes[v]);
    }
  }
  for (int v = 0; v < kCount; v++) {
    out[v * stride] = sum(lanes[v]);
  }
}

template <int kBits, int kCount>
void multiply_rows(
    const Layout& layout, const Rows& rows, const std::byte* packed, float* out, std::size_t stride) {
  const __m512i of_lanes = _mm512_load_si512(groups_of_lanes<kBits>(layout.group).of);
  const int groups = layout.padded_groups();
  for (int row = 0; row < rows.count; row++) {
    multiply_row<kBits, kCount>(
        layout,
        rows.weights + row * layout.row_bytes(),
        rows.scales + row * groups,
        rows.biases + row * groups,
        of_lanes,
        packed,
        out + row,
        stride);
  }
}

void multiply(
    const Layout& layout,
    const Rows& rows,
    const std::byte* packed,
    int vectors,
    float* out,
    std::size_t stride) {
  for_bits(layout.bits, [&]<int kBits>() {
    for (int v = 0; v < vectors;) {
      const std::byte* x = packed + v * layout.packed_bytes();
      float* y = out + v * stride;
      switch (vectors - v) {
        case 1:
          multiply_rows<kBits, 1>(layout, rows, x, y, stride);
          return;
        case 2:
          multiply_rows<kBits, 2>(layout, rows, x, y, stride);
          return;
        case 3:
          multiply_rows<kBits, 3>(layout, rows, x, y, stride);
          return;
        case 4:
          multiply_rows<kBits, 4>(layout, rows, x, y, stride);
          return;
        case 5:
          multiply_rows<kBits, 5>(layout, rows, x, y, stride);
          return;
        case 6:
          multiply_rows<kBits, 6>(layout, rows, x, y, stride);
          return;
        case 7:
          multiply_rows<kBits, 7>(layout, rows, x, y, stride);
          return;
        default:
          multiply_rows<kBits, 8>(layout, rows, x, y, stride);
          v += 8;
      }
    }
  });
  _mm256_zeroupper(); // MLX's own code has no such registers, and crawls while they are in use
}

#include "side_by_side.inl"

constexpr int kWidth = 16;

#include "registers.inl"

inline Floats fused(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}

#include "layer.inl"

bool supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}

} // namespace

const Product kAvx512Vnni{"avx512-vnni", supported, widen, pack, multiply, kLayer, &kManyVectors};

} // namespace semantic
