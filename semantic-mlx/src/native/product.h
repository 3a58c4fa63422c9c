#pragma once

#include <cstddef>
#include <cstdint>

#include "layer.h"

// The product of vectors with a matrix of small integers, as one sum of a fixed order.
//
// A vector becomes fixed point first: blocks of 32 numbers, each 16 bits and a common scale. The
// integers' products are then exact, whatever their order; only sixteen lanes of float remain, to
// which every instruction set adds the same terms in the same order:
//
//   lane[l]  = sum over groups g = l (mod 16) of bias[g] * (sum of the group's numbers)
//   lane[l] += float(integer sum of 4 bytes of every 64 of the row) * (scale of group * of block)
//
// and which are added up as a tree at the end. So a row of the result has the same bits on every
// processor, with any number of threads, and whatever other rows are computed beside it.

namespace semantic {

inline constexpr int kBlock = 32; // numbers of a vector with one scale
inline constexpr int kLanes = 16;
inline constexpr int kTileBytes = 64; // of a matrix's row, taken at a time
// Bytes of the matrix that are asked for before they are needed: memory then gives all it can.
inline constexpr int kAhead = 8192;

// A matrix's numbers, and where they lie in a vector that was packed for it. Integers of 3, 5 and 6
// bits are unpacked to 8 before anything else.
struct Layout {
  int in;
  int bits;
  int group;

  constexpr int unpacked_bits() const {
    return bits == 2 || bits == 4 ? bits : 8;
  }
  // Vectors of 32 16-bit integers in a tile: one for each position in a word of 16 bits.
  constexpr int vectors() const {
    return 16 / unpacked_bits();
  }
  constexpr int tile() const {
    return kTileBytes * 8 / unpacked_bits();
  }
  constexpr int tiles() const {
    return (in + tile() - 1) / tile();
  }
  constexpr std::size_t row_bytes() const {
    return static_cast<std::size_t>(in) / 8 * bits;
  }
  constexpr int groups() const {
    return in / group;
  }
  // Scales of a row as they are read: in whole registers, and up to one beyond the last.
  constexpr int padded_groups() const {
    return (groups() + kLanes - 1) / kLanes * kLanes + kLanes;
  }
  // A row's integers with 16 bits each.
  constexpr std::size_t expanded_bytes() const {
    return static_cast<std::size_t>(tiles()) * vectors() * 64;
  }
  // A tile of a packed vector: integers, then each lane's scale.
  constexpr std::size_t packed_tile_bytes() const {
    return static_cast<std::size_t>(vectors()) * 64 + kLanes * sizeof(float);
  }
  // All tiles, then the sums of groups.
  constexpr std::size_t packed_bytes() const {
    return tiles() * packed_tile_bytes() + padded_groups() * sizeof(float);
  }
};

enum class Number { kFloat32, kFloat16, kBfloat16 };

// Numbers as floats, and zeros behind them up to `padded`.
using Widen = void (*)(Number format, const void* from, int count, int padded, float* to);

// Some rows of a matrix.
struct Rows {
  const std::uint8_t* weights;
  const float* scales; // padded_groups() a row, zero behind the last
  const float* biases; // likewise
  int count;
};

// Packs a vector into packed_bytes() at an address that 64 divides. False if fixed point cannot
// hold it: it has a number that is not finite, or a block of numbers next to nothing.
using Pack = bool (*)(const Layout& layout, const float* x, std::byte* to);

// Products of rows with vectors that were packed one after the other: out[v * stride + row].
using Multiply = void (*)(
    const Layout& layout,
    const Rows& rows,
    const std::byte* packed,
    int vectors,
    float* out,
    std::size_t stride);

inline constexpr int kVectorsSideBySide = 16;

// The same sums for so many vectors at once: for prompts.
struct ManyVectors {
  // Lays vectors that were packed one after the other side by side, in as many bytes at most as
  // they had as floats; both addresses are ones that 64 divides.
  void (*arrange)(const Layout& layout, const std::byte* packed, std::byte* to);

  // Gives the integers of a row 16 bits each, expanded_bytes() at an address that 64 divides.
  void (*expand)(const Layout& layout, const std::uint8_t* row, std::byte* to);

  // Products of expanded rows with vectors side by side: out[row * kVectorsSideBySide + vector].
  void (*multiply)(
      const Layout& layout,
      const std::byte* expanded,
      const float* scales,
      const float* biases,
      int rows,
      const std::byte* vectors,
      float* out);
};

struct Product {
  const char* name;
  bool (*supported)();
  Widen widen;
  Pack pack;
  Multiply multiply;
  Layer layer;
  const ManyVectors* many; // null where there is none
};

extern const Product kPortable;
extern const Product kAvx2;
extern const Product kAvxVnni;
extern const Product kAvx512Vnni;

} // namespace semantic
