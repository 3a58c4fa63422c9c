// Sixteen vectors side by side, a register of them: each pair of integers of the matrix is
// multiplied with all of them. The lanes of product.h are registers here, so that their sums need
// nothing within a register. Included by product_avx512.cpp inside its unnamed namespace.

static_assert(kVectorsSideBySide == kLanes);

// What belongs together of sixteen packed vectors lies together: blocks of integers, lane by lane;
// then the scales of the blocks; then the sums of the groups.
struct SideBySide {
  static constexpr std::size_t kBlockBytes = kVectorsSideBySide * kBlock * sizeof(std::int16_t);

  std::byte* memory;
  int blocks;

  SideBySide(const Layout& layout, const std::byte* at)
      : memory(const_cast<std::byte*>(at)), blocks(layout.in / kBlock) {}

  std::int32_t* block(int index) const {
    return reinterpret_cast<std::int32_t*>(memory + index * kBlockBytes);
  }
  float* scales(int block) const {
    return reinterpret_cast<float*>(this->block(blocks)) + block * kVectorsSideBySide;
  }
  float* sums(int group) const {
    return scales(blocks) + group * kVectorsSideBySide;
  }
};

// Sixteen registers of sixteen integers: rows become columns.
inline void transpose(__m512i* rows) {
  __m512i pairs[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < kLanes; i += 4) { // rows[i + k]: column k of every four, of four rows
    rows[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int k = 0; k < 4; k++) {
    const __m512i low = _mm512_shuffle_i32x4(rows[k], rows[k + 4], 0x88);
    const __m512i high = _mm512_shuffle_i32x4(rows[k], rows[k + 4], 0xdd);
    const __m512i low_behind = _mm512_shuffle_i32x4(rows[k + 8], rows[k + 12], 0x88);
    const __m512i high_behind = _mm512_shuffle_i32x4(rows[k + 8], rows[k + 12], 0xdd);
    pairs[k] = _mm512_shuffle_i32x4(low, low_behind, 0x88);
    pairs[k + 4] = _mm512_shuffle_i32x4(high, high_behind, 0x88);
    pairs[k + 8] = _mm512_shuffle_i32x4(low, low_behind, 0xdd);
    pairs[k + 12] = _mm512_shuffle_i32x4(high, high_behind, 0xdd);
  }
  for (int i = 0; i < kLanes; i++) {
    rows[i] = pairs[i];
  }
}

template <int kVectors>
void lay_side_by_side(const Layout& layout, const std::byte* packed, std::byte* to) {
  constexpr int kLanesOfBlock = kLanes / kVectors;
  const SideBySide all(layout, to);
  const std::size_t bytes = layout.packed_bytes();
  const std::size_t tile_bytes = layout.packed_tile_bytes();
  for (int tile = 0; tile < layout.tiles(); tile++) {
    const std::byte* from = packed + tile * tile_bytes;
    const int first = tile * kVectors;
    const int blocks = all.blocks - first < kVectors ? all.blocks - first : kVectors;
    for (int v = 0; v < kVectors; v++) {
      __m512i lanes[kLanes];
      for (int i = 0; i < kVectorsSideBySide; i++) {
        lanes[i] = _mm512_load_si512(from + i * bytes + v * 64);
      }
      transpose(lanes);
      for (int lane = 0; lane < blocks * kLanesOfBlock; lane++) {
        std::int32_t* block = all.block(first + lane / kLanesOfBlock);
        const int at = lane % kLanesOfBlock * kVectors + v;
        _mm512_store_si512(block + at * kVectorsSideBySide, lanes[lane]);
      }
    }
    for (int block = 0; block < blocks; block++) {
      for (int i = 0; i < kVectorsSideBySide; i++) {
        const auto* scales = reinterpret_cast<const float*>(from + i * bytes + kVectors * 64);
        all.scales(first + block)[i] = scales[block * kLanesOfBlock];
      }
    }
  }
  for (int group = 0; group < layout.groups(); group++) {
    for (int i = 0; i < kVectorsSideBySide; i++) {
      const std::byte* sums = packed + i * bytes + layout.tiles() * tile_bytes;
      all.sums(group)[i] = reinterpret_cast<const float*>(sums)[group];
    }
  }
}

// The integers of a row, 16 bits each, in the order of multiply_row.
template <int kBits>
void expand_row(const Layout& layout, const std::uint8_t* row, std::byte* to) {
  constexpr Layout kShape{0, kBits, kBlock};
  constexpr int kRaw = kShape.tile() / 8 * kBits;
  std::size_t left = layout.row_bytes();
  for (int tile = 0; tile < layout.tiles(); tile++, left -= kRaw) {
    __m512i integers[kShape.vectors()];
    unpack<kBits>(row + tile * kRaw, left < kRaw ? left : kRaw, integers);
    for (int v = 0; v < kShape.vectors(); v++, to += 64) {
      _mm512_store_si512(to, integers[v]);
    }
  }
}

// Some rows with all vectors: out[row * kVectorsSideBySide + vector].
template <int kVectors, int kRows>
void multiply_expanded(
    const Layout& layout,
    const std::byte* expanded,
    const float* scales,
    const float* biases,
    const SideBySide& x,
    float* out) {
  constexpr int kLanesOfBlock = kLanes / kVectors;
  const int groups = layout.padded_groups();
  const std::size_t row_bytes = layout.expanded_bytes();
  __m512 lanes[kRows][kLanes];
  for (int of_tile = 0; of_tile < kVectors; of_tile++) {
    const int first = of_tile * kLanesOfBlock;
    __m512 sums[kRows][kLanesOfBlock];
    for (int r = 0; r < kRows; r++) {
      for (int lane = 0; lane < kLanesOfBlock; lane++) {
        sums[r][lane] = _mm512_setzero_ps();
        for (int group = first + lane; group < layout.groups(); group += kLanes) {
          const __m512 bias = _mm512_set1_ps(biases[r * groups + group]);
          sums[r][lane] = _mm512_fmadd_ps(bias, _mm512_load_ps(x.sums(group)), sums[r][lane]);
        }
      }
    }
    const std::byte* tile = expanded;
    for (int block = of_tile; block < x.blocks; block += kVectors, tile += kVectors * 64) {
      const std::int32_t* vectors = x.block(block);
      const __m512 x_scale = _mm512_load_ps(x.scales(block));
      __m512 scale[kRows];
      for (int r = 0; r < kRows; r++) {
        const float of_row = scales[r * groups + block * kBlock / layout.group];
        scale[r] = _mm512_mul_ps(_mm512_set1_ps(of_row), x_scale);
      }
#pragma GCC unroll 8
      for (int lane = 0; lane < kLanesOfBlock; lane++) {
        __m512i products[kRows];
        for (int r = 0; r < kRows; r++) {
          products[r] = _mm512_setzero_si512();
        }
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; v++) {
          const __m512i each =
              _mm512_load_si512(vectors + (lane * kVectors + v) * kVectorsSideBySide);
          for (int r = 0; r < kRows; r++) {
            const auto* pairs =
                reinterpret_cast<const std::int32_t*>(tile + r * row_bytes + v * 64);
            products[r] =
                _mm512_dpwssd_epi32(products[r], each, _mm512_set1_epi32(pairs[first + lane]));
          }
        }
        for (int r = 0; r < kRows; r++) {
          sums[r][lane] =
              _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[r]), scale[r], sums[r][lane]);
        }
      }
    }
    for (int r = 0; r < kRows; r++) {
      for (int lane = 0; lane < kLanesOfBlock; lane++) {
        lanes[r][first + lane] = sums[r][lane];
      }
    }
  }
  for (int r = 0; r < kRows; r++) {
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
      for (int lane = 0; lane < distance; lane++) {
        lanes[r][lane] = _mm512_add_ps(lanes[r][lane], lanes[r][lane + distance]);
      }
    }
    _mm512_storeu_ps(out + r * kVectorsSideBySide, lanes[r][0]);
  }
}

void arrange(const Layout& layout, const std::byte* packed, std::byte* to) {
  for_bits(layout.bits, [&]<int kBits>() {
    lay_side_by_side<Layout{0, kBits, kBlock}.vectors()>(layout, packed, to);
  });
  _mm256_zeroupper();
}

void expand(const Layout& layout, const std::uint8_t* row, std::byte* to) {
  for_bits(layout.bits, [&]<int kBits>() { expand_row<kBits>(layout, row, to); });
  _mm256_zeroupper();
}

void multiply_side_by_side(
    const Layout& layout,
    const std::byte* expanded,
    const float* scales,
    const float* biases,
    int rows,
    const std::byte* x,
    float* out) {
  for_bits(layout.bits, [&]<int kBits>() {
    constexpr int kVectors = Layout{0, kBits, kBlock}.vectors();
    constexpr int kRows = kVectors == 2 ? 2 : 4; // whose lanes fill the registers
    const SideBySide all(layout, x);
    const int groups = layout.padded_groups();
    int row = 0;
    for (; row + kRows <= rows; row += kRows) {
      multiply_expanded<kVectors, kRows>(
          layout,
          expanded + row * layout.expanded_bytes(),
          scales + row * groups,
          biases + row * groups,
          all,
          out + row * kVectorsSideBySide);
    }
    for (; row < rows; row++) {
      multiply_expanded<kVectors, 1>(
          layout,
          expanded + row * layout.expanded_bytes(),
          scales + row * groups,
          biases + row * groups,
          all,
          out + row * kVectorsSideBySide);
    }
  });
  _mm256_zeroupper();
}

constexpr ManyVectors kManyVectors{arrange, expand, multiply_side_by_side};
