// Registers of 32 bytes: a tile of a row is two halves, and so are a vector's sixteen lanes.
// Included by the units that have such registers, inside their own unnamed namespace, behind
//   __m256i add_products(__m256i sums, __m256i a, __m256i b)
// which adds the products of 16-bit integers, of two neighbours each.

#include "packing.inl"

// A half of a tile of a row as bytes of unpacked_bits() each; `bytes` are left in the row.
template <int kBits>
__m256i load_half(const std::uint8_t* from, std::ptrdiff_t bytes) {
  constexpr bool kWhole = kBits == 2 || kBits == 4 || kBits == 8;
  constexpr std::ptrdiff_t kHalf = kWhole ? 32 : 4 * kBits;
  alignas(32) std::uint8_t last[32];
  if (bytes < 32) { // no reading beyond the row: it may be the last one
    __builtin_memset(last, 0, sizeof last);
    __builtin_memcpy(last, from, bytes < 0 ? 0 : bytes < kHalf ? bytes : kHalf);
    from = last;
  }
  if constexpr (kWhole) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  } else {
    constexpr std::uint64_t kEach = 0x0101010101010101 * ((1 << kBits) - 1);
    std::uint64_t eight[4];
    for (int i = 0; i < 4; i++) {
      std::uint64_t raw;
      __builtin_memcpy(&raw, from + i * kBits, sizeof raw);
      eight[i] = _pdep_u64(raw, kEach);
    }
    return _mm256_set_epi64x(eight[3], eight[2], eight[1], eight[0]);
  }
}

inline float sum(__m256 low, __m256 high) {
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// One row with a few vectors.
template <int kBits, int kCount>
void multiply_row(
    const Layout& layout,
    const std::uint8_t* row,
    const float* scales,
    const float* biases,
    const __m256i* groups_of_lanes,
    const std::byte* packed,
    float* out,
    std::size_t stride) {
  constexpr Layout kShape{0, kBits, kBlock};
  constexpr int kVectors = kShape.vectors();
  constexpr int kUnpacked = kShape.unpacked_bits();
  constexpr int kRaw = kShape.tile() / 8 * kBits;
  constexpr std::size_t kPackedTile = kShape.packed_tile_bytes();
  const std::size_t packed_bytes = layout.packed_bytes();
  const int tiles = layout.tiles();
  __m256 lanes[2][kCount];
  for (int v = 0; v < kCount; v++) {
    lanes[0][v] = _mm256_setzero_ps();
    lanes[1][v] = _mm256_setzero_ps();
  }
  for (int group = 0; group < layout.groups(); group += kLanes) {
    for (int half = 0; half < 2; half++) {
      const __m256 bias = _mm256_loadu_ps(biases + group + half * 8);
      for (int v = 0; v < kCount; v++) {
        const std::byte* sums = packed + v * packed_bytes + tiles * kPackedTile;
        const __m256 of_group =
            _mm256_load_ps(reinterpret_cast<const float*>(sums) + group + half * 8);
        lanes[half][v] = _mm256_fmadd_ps(bias, of_group, lanes[half][v]);
      }
    }
  }
  std::ptrdiff_t left = static_cast<std::ptrdiff_t>(layout.row_bytes());
  const __m256i mask = _mm256_set1_epi16((1 << kUnpacked) - 1);
  for (int tile = 0; tile < tiles; tile++) {
    const float* of_tile = scales + tile * kShape.tile() / layout.group;
    _mm_prefetch(reinterpret_cast<const char*>(row) + tile * kRaw + kAhead, _MM_HINT_T0);
    for (int half = 0; half < 2; half++, left -= kRaw / 2) {
      const __m256i bytes = load_half<kBits>(row + layout.row_bytes() - left, left);
      __m256i integers[kVectors];
      for (int k = 0; k < kVectors; k++) {
        const __m256i shifted = k == 0 ? bytes : _mm256_srli_epi16(bytes, k * kUnpacked);
        integers[k] = k == kVectors - 1 ? shifted : _mm256_and_si256(shifted, mask);
      }
      const __m256 scale =
          _mm256_permutevar8x32_ps(_mm256_loadu_ps(of_tile), groups_of_lanes[half]);
      for (int v = 0; v < kCount; v++) {
        const std::byte* x = packed + v * packed_bytes + tile * kPackedTile + half * 32;
        __m256i sums = _mm256_setzero_si256();
        for (int k = 0; k < kVectors; k++) {
          const auto* of_position = reinterpret_cast<const __m256i*>(x + k * 64);
          sums = add_products(sums, integers[k], _mm256_load_si256(of_position));
        }
        const __m256 x_scale = _mm256_load_ps(reinterpret_cast<const float*>(x + kVectors * 64));
        lanes[half][v] = _mm256_fmadd_ps(
            _mm256_cvtepi32_ps(sums), _mm256_mul_ps(scale, x_scale), lanes[half][v]);
      }
    }
  }
  for (int v = 0; v < kCount; v++) {
    out[v * stride] = sum(lanes[0][v], lanes[1][v]);
  }
}

template <int kBits, int kCount>
void multiply_rows(
    const Layout& layout, const Rows& rows, const std::byte* packed, float* out, std::size_t stride) {
  const std::int32_t* of_lanes = groups_of_lanes<kBits>(layout.group).of;
  const __m256i halves[2] = {
      _mm256_load_si256(reinterpret_cast<const __m256i*>(of_lanes)),
      _mm256_load_si256(reinterpret_cast<const __m256i*>(of_lanes + 8))};
  const int groups = layout.padded_groups();
  for (int row = 0; row < rows.count; row++) {
    multiply_row<kBits, kCount>(
        layout,
        rows.weights + row * layout.row_bytes(),
        rows.scales + row * groups,
        rows.biases + row * groups,
        halves,
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
    for (int v = 0; v < vectors; v += 4) {
      const std::byte* x = packed + v * layout.packed_bytes();
      float* y = out + v * stride;
      switch (vectors - v) {
        case 1:
          multiply_rows<kBits, 1>(layout, rows, x, y, stride);
          break;
        case 2:
          multiply_rows<kBits, 2>(layout, rows, x, y, stride);
          break;
        case 3:
          multiply_rows<kBits, 3>(layout, rows, x, y, stride);
          break;
        default:
          multiply_rows<kBits, 4>(layout, rows, x, y, stride);
      }
    }
  });
  _mm256_zeroupper(); // MLX's own code has no such registers, and crawls while they are in use
}
