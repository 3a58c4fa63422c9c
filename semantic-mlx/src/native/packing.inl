// Fixed point, the same for all instruction sets and compiled for each: included once by each unit,
// inside its own unnamed namespace, so that the linker never takes one unit's code for another's.

// Blocks whose largest number is smaller would have a scale that is no normal number.
inline constexpr float kSmallest = 1e-33f;
inline constexpr float kLargestInteger = 32767;

inline std::uint32_t bits_of(float x) {
  return __builtin_bit_cast(std::uint32_t, x);
}

// To the nearest, ties to even, by letting the addition round; in every instruction set alike.
inline std::int32_t nearest(float x) {
  constexpr float kShift = 12582912; // 1.5 * 2^23
  return static_cast<std::int32_t>(bits_of(x + kShift)) - static_cast<std::int32_t>(bits_of(kShift));
}

// The bits of the largest magnitude: ordered as the magnitudes are, and all of NaN's above.
inline std::uint32_t largest_magnitude(const float* x) {
  std::uint32_t largest = 0;
  for (int i = 0; i < kBlock; i++) {
    std::uint32_t magnitude = bits_of(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

template <int kVectors>
bool pack_vector(const Layout& layout, const float* x, std::byte* to) {
  constexpr int kTile = 32 * kVectors;
  constexpr int kLanesOfBlock = kLanes / kVectors;
  constexpr int kWordsOfBlock = kBlock / kVectors;
  const std::size_t tile_bytes = layout.packed_tile_bytes();
  const std::size_t tail = layout.tiles() * tile_bytes;
  // What lies behind the last number of the last tile, and of the last group.
  __builtin_memset(to + tail - tile_bytes, 0, layout.packed_bytes() - (tail - tile_bytes));
  float* sums = reinterpret_cast<float*>(to + tail);
  for (int first = 0; first < layout.in; first += kBlock) {
    const std::uint32_t largest_bits = largest_magnitude(x + first);
    const float largest = __builtin_bit_cast(float, largest_bits);
    if (largest_bits >= 0x7f800000 || (largest > 0 && largest < kSmallest)) {
      return false;
    }
    const float scale = largest / kLargestInteger;
    const float inverse = largest > 0 ? kLargestInteger / largest : 0;
    std::int32_t integers[kBlock];
    std::int32_t sum = 0;
    for (int i = 0; i < kBlock; i++) {
      integers[i] = nearest(x[first + i] * inverse);
      sum += integers[i];
    }
    std::byte* tile = to + first / kTile * tile_bytes;
    const int block = first % kTile / kBlock;
    std::int16_t* words = reinterpret_cast<std::int16_t*>(tile) + block * kWordsOfBlock;
    for (int v = 0; v < kVectors; v++) {
      for (int word = 0; word < kWordsOfBlock; word++) {
        words[v * 32 + word] = static_cast<std::int16_t>(integers[word * kVectors + v]);
      }
    }
    float* scales = reinterpret_cast<float*>(tile + kVectors * 64) + block * kLanesOfBlock;
    for (int lane = 0; lane < kLanesOfBlock; lane++) {
      scales[lane] = scale;
    }
    sums[first / layout.group] += scale * static_cast<float>(sum);
  }
  return true;
}

bool pack(const Layout& layout, const float* x, std::byte* to) {
  switch (layout.unpacked_bits()) {
    case 2:
      return pack_vector<8>(layout, x, to);
    case 4:
      return pack_vector<4>(layout, x, to);
    default:
      return pack_vector<2>(layout, x, to);
  }
}

// Half precision as float, exactly: the exponents' difference is a factor that is a power of two,
// but for infinity and NaN.
inline float widened(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = (half & 0x7fffu) << 13;
  const float scaled = __builtin_bit_cast(float, magnitude) * 0x1p112f;
  const std::uint32_t finite = bits_of(scaled);
  const std::uint32_t other = magnitude | 0x7f800000;
  return __builtin_bit_cast(float, sign | ((half & 0x7c00u) == 0x7c00u ? other : finite));
}

void widen(Number format, const void* from, int count, int padded, float* to) {
  const auto* halves = static_cast<const std::uint16_t*>(from);
  switch (format) {
    case Number::kFloat32:
      __builtin_memcpy(to, from, count * sizeof(float));
      break;
    case Number::kFloat16:
      for (int i = 0; i < count; i++) {
        to[i] = widened(halves[i]);
      }
      break;
    case Number::kBfloat16:
      for (int i = 0; i < count; i++) {
        to[i] = __builtin_bit_cast(float, static_cast<std::uint32_t>(halves[i]) << 16);
      }
  }
  __builtin_memset(to + count, 0, (padded - count) * sizeof(float));
}

// Where in a tile's scales a lane's scale is, counted from the tile's first group.
constexpr int group_of_lane(const Layout& layout, int lane) {
  return lane / (kLanes / (layout.tile() / kBlock)) * kBlock / layout.group;
}

// The same of all lanes.
struct GroupsOfLanes {
  alignas(64) std::int32_t of[kLanes];
};

template <int kBits, int kGroup>
constexpr GroupsOfLanes groups_of_lanes() {
  constexpr Layout kShape{0, kBits, kGroup};
  GroupsOfLanes groups{};
  for (int lane = 0; lane < kLanes; lane++) {
    groups.of[lane] = group_of_lane(kShape, lane);
  }
  return groups;
}

template <int kBits>
const GroupsOfLanes& groups_of_lanes(int group) {
  static constexpr GroupsOfLanes k32 = groups_of_lanes<kBits, 32>();
  static constexpr GroupsOfLanes k64 = groups_of_lanes<kBits, 64>();
  static constexpr GroupsOfLanes k128 = groups_of_lanes<kBits, 128>();
  return group == 32 ? k32 : group == 64 ? k64 : k128;
}

// Calls a kernel for the bits of the matrix: kernel.operator()<bits>().
template <typename Kernel>
void for_bits(int bits, Kernel kernel) {
  switch (bits) {
    case 2:
      return kernel.template operator()<2>();
    case 3:
      return kernel.template operator()<3>();
    case 4:
      return kernel.template operator()<4>();
    case 5:
      return kernel.template operator()<5>();
    case 6:
      return kernel.template operator()<6>();
    default:
      return kernel.template operator()<8>();
  }
}
