#include "product.h"

#include <utility>

#include <cmath>

// Plain C++: what every processor runs, and what the others are measured against.

namespace semantic {
namespace {

#include "packing.inl"

// Integer number `index` of a row: a little-endian stream of bits.
inline int integer(const std::uint8_t* row, int bits, int index) {
  const int at = index * bits;
  const int shift = at % 8;
  int value = row[at / 8] >> shift;
  if (shift + bits > 8) {
    value |= row[at / 8 + 1] << (8 - shift);
  }
  return value & ((1 << bits) - 1);
}

// Adds the tile's products to the lanes.
void add_tile(
    const Layout& layout,
    const std::uint8_t* row,
    const float* scales,
    int tile,
    const std::byte* packed,
    float* lanes) {
  const int vectors = layout.vectors();
  const int first = tile * layout.tile();
  const auto* x = reinterpret_cast<const std::int16_t*>(packed);
  const auto* x_scales = reinterpret_cast<const float*>(packed + vectors * 64);
  for (int lane = 0; lane < kLanes; lane++) {
    std::int32_t sum = 0;
    for (int word = 2 * lane; word < 2 * lane + 2; word++) {
      for (int v = 0; v < vectors; v++) {
        const int index = first + word * vectors + v;
        sum += index < layout.in ? integer(row, layout.bits, index) * x[v * 32 + word] : 0;
      }
    }
    const float scale = scales[first / layout.group + group_of_lane(layout, lane)];
    lanes[lane] = std::fma(static_cast<float>(sum), scale * x_scales[lane], lanes[lane]);
  }
}

float dot(
    const Layout& layout,
    const std::uint8_t* row,
    const float* scales,
    const float* biases,
    const std::byte* packed) {
  float lanes[kLanes] = {};
  const auto* sums =
      reinterpret_cast<const float*>(packed + layout.tiles() * layout.packed_tile_bytes());
  for (int group = 0; group < layout.padded_groups() - kLanes; group++) {
    float& lane = lanes[group % kLanes];
    lane = std::fma(biases[group], sums[group], lane);
  }
  for (int tile = 0; tile < layout.tiles(); tile++) {
    add_tile(layout, row, scales, tile, packed + tile * layout.packed_tile_bytes(), lanes);
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; lane++) {
      lanes[lane] += lanes[lane + width];
    }
  }
  return lanes[0];
}

void multiply(
    const Layout& layout,
    const Rows& rows,
    const std::byte* packed,
    int vectors,
    float* out,
    std::size_t stride) {
  const int groups = layout.padded_groups();
  for (int row = 0; row < rows.count; row++) {
    for (int v = 0; v < vectors; v++) {
      out[v * stride + row] =
          dot(layout,
              rows.weights + row * layout.row_bytes(),
              rows.scales + row * groups,
              rows.biases + row * groups,
              packed + v * layout.packed_bytes());
    }
  }
}

constexpr int kWidth = 4;

#include "registers.inl"

inline Floats fused(Floats a, Floats b, Floats c) {
  for (int i = 0; i < kWidth; i++) {
    c[i] = std::fma(a[i], b[i], c[i]);
  }
  return c;
}

#include "layer.inl"

bool supported() {
  return true;
}

} // namespace

const Product kPortable{"portable", supported, widen, pack, multiply, kLayer, nullptr};

} // namespace semantic
