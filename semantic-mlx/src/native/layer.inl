// What a layer does between its products, the same for all instruction sets and compiled for each:
// included by each unit inside its own unnamed namespace, behind
//   constexpr int kWidth    floats of a register
// Only additions, multiplications and divisions, each rounded, in one order whatever the width; so
// every unit gives the same bits.

typedef float Floats __attribute__((vector_size(kWidth * sizeof(float))));
typedef std::int32_t Ints __attribute__((vector_size(kWidth * sizeof(float))));

constexpr int kParts = kLanes / kWidth;

// Sixteen lanes of sums, in as many registers as they need.
struct Lanes {
  Floats part[kParts];
};

inline Floats all(float x) {
  return x - Floats{};
}

inline Floats read(const float* from) {
  Floats x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}

inline void write(float* to, Floats x) {
  __builtin_memcpy(to, &x, sizeof x);
}

inline Floats magnitude(Floats x) {
  return (Floats)((Ints)x & 0x7fffffff);
}

// Calls body(first, count) for every register's worth of numbers; the last may be fewer.
template <typename Body>
inline void by_registers(int count, Body body) {
  int at = 0;
  for (; at + kWidth <= count; at += kWidth) {
    body(at, kWidth);
  }
  if (at < count) {
    body(at, count - at);
  }
}

// Numbers, and zeros behind them.
inline Floats read(const float* from, int count) {
  if (count == kWidth) {
    return read(from);
  }
  Floats x{};
  __builtin_memcpy(&x, from, count * sizeof(float));
  return x;
}

inline void write(float* to, Floats x, int count) {
  if (count == kWidth) {
    write(to, x);
  } else {
    __builtin_memcpy(to, &x, count * sizeof(float));
  }
}

// Both halves of a register exchanged, then those of its halves, and so on.
template <int kDistance, int... kLane>
inline Floats moved(Floats x, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(x, x, (kLane ^ kDistance)...);
}

template <int kDistance>
inline float folded(Floats x) {
  if constexpr (kDistance == 0) {
    return x[0];
  } else {
    return folded<kDistance / 2>(x + moved<kDistance>(x, std::make_integer_sequence<int, kWidth>{}));
  }
}

// As a tree: each lane and the one eight behind it, then four, two, one.
inline float sum(Lanes lanes) {
  for (int parts = kParts / 2; parts > 0; parts /= 2) {
    for (int i = 0; i < parts; i++) {
      lanes.part[i] += lanes.part[i + parts];
    }
  }
  return folded<kWidth / 2>(lanes.part[0]);
}

// Calls body(part, first, count) for numbers by lanes: number i belongs to lane i mod 16.
template <typename Body>
inline void by_lanes(int count, Body body) {
  int at = 0;
  for (; at + kLanes <= count; at += kLanes) {
    for (int i = 0; i < kParts; i++) {
      body(i, at + i * kWidth, kWidth);
    }
  }
  for (int i = 0; at < count; at += kWidth, i++) {
    body(i, at, count - at < kWidth ? count - at : kWidth);
  }
}

inline float dot(const float* a, const float* b, int count) {
  Lanes lanes{};
  by_lanes(count, [&](int part, int at, int n) {
    lanes.part[part] += read(a + at, n) * read(b + at, n);
  });
  return sum(lanes);
}

// e^x for x that is not above 0, to about a unit in the last place; 0 below -87, NaN for NaN.
// By the bits of the power of two next to it, and a polynomial for what is left (as Cephes' expf).
inline Floats exponential(Floats x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f; // few enough bits that its multiples are exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kShift = 12582912; // 1.5 * 2^23: adding it rounds to whole numbers
  const Floats least = all(-87);
  const Floats within = x < least ? least : x;
  const Floats shifted = within * kLog2E + kShift;
  const Floats power = shifted - kShift;
  const Floats rest = (within - power * kLn2High) - power * kLn2Low;
  Floats y = all(1.9875691500e-4f);
  y = y * rest + 1.3981999507e-3f;
  y = y * rest + 8.3334519073e-3f;
  y = y * rest + 4.1665795894e-2f;
  y = y * rest + 1.6666665459e-1f;
  y = y * rest + 5.0000001201e-1f;
  y = (y * rest * rest + rest) + 1.0f;
  const Ints bits = (Ints)shifted - __builtin_bit_cast(std::int32_t, kShift);
  const Floats scale = (Floats)((bits + 127) << 23);
  return x < least ? Floats{} : y * scale;
}

// 1 / (1 + e^-x), by e^-|x|, which never overflows.
inline Floats sigmoid(Floats x) {
  const Floats e = exponential(-magnitude(x));
  return (x < 0.0f ? e : all(1)) / (1.0f + e);
}

inline float tanh_of(float x) {
  const Floats y = sigmoid(all(2 * x));
  return 2 * y[0] - 1;
}

template <typename Bend>
void gate_by(const float* gate, const float* up, int count, float* out, Bend bend) {
  by_registers(count, [&](int at, int n) {
    const Floats x = read(gate + at, n);
    write(out + at, bend(x) * read(up + at, n), n);
  });
}

// MLX's own code has no such registers, and crawls while their upper halves are in use.
inline void leave_registers() {
#if defined(__AVX__)
  __builtin_ia32_vzeroupper();
#endif
}

void gate(Activation activation, const float* gate, const float* up, int count, float* out) {
  switch (activation) {
    case Activation::kSilu:
      gate_by(gate, up, count, out, [](Floats x) { return x * sigmoid(x); });
      break;
    case Activation::kGeluTanh:
      // 0.5 (1 + tanh z) = sigmoid(2 z), z = sqrt(2 / pi) (x + 0.044715 x^3)
      gate_by(gate, up, count, out, [](Floats x) {
        constexpr float kLinear = 1.5957691216057308f;
        constexpr float kCubic = 0.07135481282617038f;
        return x * sigmoid((x * x * kCubic + kLinear) * x);
      });
  }
  leave_registers();
}

void norm(const float* x, const float* weight, float eps, int count, float* out) {
  Lanes lanes{};
  by_lanes(count, [&](int part, int at, int n) {
    const Floats each = read(x + at, n);
    lanes.part[part] += each * each;
  });
  const float scale = 1 / __builtin_sqrtf(sum(lanes) / static_cast<float>(count) + eps);
  by_registers(count, [&](int at, int n) {
    const Floats normed = read(x + at, n) * scale;
    write(out + at, weight == nullptr ? normed : normed * read(weight + at, n), n);
  });
  leave_registers();
}

void turn(const float* x, const float* cosines, const float* sines, int count, float* out) {
  const int half = count / 2;
  for (int side = 0; side < 2; side++) {
    const int here = side * half;
    const int there = half - here;
    by_registers(half, [&](int at, int n) {
      write(
          out + here + at,
          read(x + here + at, n) * read(cosines + here + at, n) +
              read(x + there + at, n) * read(sines + here + at, n),
          n);
    });
  }
  leave_registers();
}

// Four registers of an answer at a time, so that none waits for itself.
void add_values(const Keys& keys, const float* weights, float kept, int width, float* answer) {
  constexpr int kAtOnce = 4;
  int at = 0;
  for (; at + kAtOnce * kWidth <= width; at += kAtOnce * kWidth) {
    Floats sums[kAtOnce];
    for (int i = 0; i < kAtOnce; i++) {
      sums[i] = read(answer + at + i * kWidth) * kept;
    }
    for (int t = 0; t < keys.count; t++) {
      for (int i = 0; i < kAtOnce; i++) {
        sums[i] += read(keys.values[t] + at + i * kWidth) * weights[t];
      }
    }
    for (int i = 0; i < kAtOnce; i++) {
      write(answer + at + i * kWidth, sums[i]);
    }
  }
  by_registers(width - at, [&](int more, int n) {
    Floats sums = read(answer + at + more, n) * kept;
    for (int t = 0; t < keys.count; t++) {
      sums += read(keys.values[t] + at + more, n) * weights[t];
    }
    write(answer + at + more, sums, n);
  });
}

// What some tokens add to the answer of a query, in one pass over all of them (Milakov, Gimelshein
// 2018): what came before is scaled down where these have a larger score.
void attend(const float* query, const Keys& keys, int width, float softcap, Attended& to) {
  float scores[kTokensAtOnce];
  float largest = to.largest;
  for (int t = 0; t < keys.count; t++) {
    const float score = dot(query, keys.keys[t], width);
    scores[t] = softcap == 0 ? score : softcap * tanh_of(score / softcap);
    largest = largest > scores[t] ? largest : scores[t]; // NaN stays in its score
  }
  const float shift = largest > -__builtin_inff() ? largest : 0;
  const float kept = exponential(all(to.largest - shift))[0];
  Lanes sums{};
  by_lanes(keys.count, [&](int part, int at, int n) {
    write(scores + at, exponential(read(scores + at, n) - shift), n);
    sums.part[part] += read(scores + at, n);
  });
  to.sum = to.sum * kept + sum(sums);
  to.largest = largest;
  add_values(keys, scores, kept, width, to.answer);
  leave_registers();
}

constexpr Layer kLayer{gate, norm, turn, attend};
