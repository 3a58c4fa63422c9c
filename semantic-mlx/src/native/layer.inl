// What a layer does between its products, the same for all instruction sets and compiled for each:
// included by each unit inside its own unnamed namespace, behind
//   constexpr int kWidth                      floats of a register
//   Floats fused(Floats a, Floats b, Floats c)    a * b + c, rounded once
// with the types of registers from registers.inl. Only additions, multiplications, divisions and
// fused products, each rounded, in one order whatever the width; so every unit gives the same bits.

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
    lanes.part[part] = fused(read(a + at, n), read(b + at, n), lanes.part[part]);
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

inline Floats bent(Floats score, float softcap) {
  return softcap == 0 ? score : softcap * (2 * sigmoid(2 * (score / softcap)) - 1);
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
    for (int t = keys.first; t < keys.end; t++) {
      for (int i = 0; i < kAtOnce; i++) {
        sums[i] = fused(read(keys.values[t] + at + i * kWidth), all(weights[t]), sums[i]);
      }
    }
    for (int i = 0; i < kAtOnce; i++) {
      write(answer + at + i * kWidth, sums[i]);
    }
  }
  by_registers(width - at, [&](int more, int n) {
    Floats sums = read(answer + at + more, n) * kept;
    for (int t = keys.first; t < keys.end; t++) {
      sums = fused(read(keys.values[t] + at + more, n), all(weights[t]), sums);
    }
    write(answer + at + more, sums, n);
  });
}

// What some tokens add to the answer of a query, in one pass over all of them (Milakov, Gimelshein
// 2018): what came before is scaled down where these have a larger score.
void attend(const float* query, const Keys& keys, int width, float softcap, Attended& to) {
  float scores[kTokensAtOnce];
  for (int t = 0; t < kTokensAtOnce; t++) {
    scores[t] = -__builtin_inff();
  }
  float largest = to.largest;
  for (int t = keys.first; t < keys.end; t++) {
    scores[t] = bent(all(dot(query, keys.keys[t], width)), softcap)[0];
    largest = largest > scores[t] ? largest : scores[t]; // NaN stays in its score
  }
  const float shift = largest > -__builtin_inff() ? largest : 0;
  const float kept = exponential(all(to.largest - shift))[0];
  Lanes sums{};
  for (int at = keys.first / kLanes * kLanes; at < keys.end; at += kLanes) {
    by_lanes(kLanes, [&](int part, int lane, int) {
      const Floats weights = exponential(read(scores + at + lane) - shift);
      write(scores + at + lane, weights);
      sums.part[part] += weights;
    });
  }
  to.sum = to.sum * kept + sum(sums);
  to.largest = largest;
  add_values(keys, scores, kept, width, to.answer);
  leave_registers();
}

// Queries side by side, a register of them: each step of attend() is the same step for all.

constexpr int kTokensOfDot = kWidth == kLanes ? 4 : 2; // whose sums are in registers at once

struct Dots {
  Floats of[kTokensOfDot];
};

// What would be the lanes kLane, kLane + kDistance, kLane + 2 kDistance .. of a dot product, added
// up as its tree has them.
template <int kLane, int kDistance>
__attribute__((always_inline)) inline Dots dots(
    const float* queries, const float* const* keys, int width) {
  if constexpr (kDistance < kLanes) {
    Dots sums = dots<kLane, 2 * kDistance>(queries, keys, width);
    const Dots others = dots<kLane + kDistance, 2 * kDistance>(queries, keys, width);
    for (int t = 0; t < kTokensOfDot; t++) {
      sums.of[t] += others.of[t];
    }
    return sums;
  } else {
    Dots sums{};
    for (int i = kLane; i < width; i += kLanes) {
      const Floats each = read(queries + i * kQueriesAtOnce);
      for (int t = 0; t < kTokensOfDot; t++) {
        sums.of[t] = fused(each, all(keys[t][i]), sums.of[t]);
      }
    }
    return sums;
  }
}

// Of a register of queries: which tokens each sees.
struct Seen {
  Ints first;
  Ints end;

  Ints at(int token) const {
    return (token >= first) & (token < end);
  }
};

void scores_of_all(
    const float* queries, const Keys& keys, int width, float softcap, const Seen& seen, Floats* to) {
  for (int t = keys.first; t < keys.end; t += kTokensOfDot) {
    const float* some[kTokensOfDot];
    for (int i = 0; i < kTokensOfDot; i++) {
      some[i] = keys.keys[t + i < keys.end ? t + i : keys.end - 1];
    }
    const Dots scores = dots<0, 1>(queries, some, width);
    for (int i = 0; i < kTokensOfDot && t + i < keys.end; i++) {
      to[t + i] = seen.at(t + i) ? bent(scores.of[i], softcap) : all(-__builtin_inff());
    }
  }
}

// From `common` to before `common_end` all queries see the tokens; what one does not see may be
// anything, and is not even multiplied by nothing.
template <int kAtOnce>
void add_values_of_all(
    const Keys& keys,
    int common,
    int common_end,
    const Seen& seen,
    const Floats* weights,
    Floats kept,
    int at,
    float* answers) {
  Floats sums[kAtOnce];
  for (int i = 0; i < kAtOnce; i++) {
    sums[i] = read(answers + (at + i) * kQueriesAtOnce) * kept;
  }
  const auto add_seen = [&](int from, int to) {
    for (int t = from; t < to; t++) {
      for (int i = 0; i < kAtOnce; i++) {
        sums[i] = seen.at(t) ? fused(all(keys.values[t][at + i]), weights[t], sums[i]) : sums[i];
      }
    }
  };
  add_seen(keys.first, common);
  for (int t = common; t < common_end; t++) {
    for (int i = 0; i < kAtOnce; i++) {
      sums[i] = fused(all(keys.values[t][at + i]), weights[t], sums[i]);
    }
  }
  add_seen(common_end, keys.end);
  for (int i = 0; i < kAtOnce; i++) {
    write(answers + (at + i) * kQueriesAtOnce, sums[i]);
  }
}

void attend_by_all(const Keys& keys, int width, float softcap, AttendedByAll& to) {
  constexpr int kNumbersAtOnce = 8;
  for (int from = 0; from < kQueriesAtOnce; from += kWidth) {
    Seen seen;
    __builtin_memcpy(&seen.first, to.first + from, sizeof seen.first);
    __builtin_memcpy(&seen.end, to.end + from, sizeof seen.end);
    int common = keys.first;
    int common_end = keys.end;
    for (int i = from; i < from + kWidth; i++) {
      common = common > to.first[i] ? common : to.first[i];
      common_end = common_end < to.end[i] ? common_end : to.end[i];
    }
    if (common >= common_end) {
      common = common_end = keys.end;
    }
    Floats weights[kTokensAtOnce];
    scores_of_all(to.queries + from, keys, width, softcap, seen, weights);
    const Floats before = read(to.largest + from);
    Floats largest = before;
    for (int t = keys.first; t < keys.end; t++) {
      largest = largest > weights[t] ? largest : weights[t];
    }
    const Floats shift = largest > -__builtin_inff() ? largest : Floats{};
    const Floats kept = exponential(before - shift);
    Floats lanes[kLanes]{};
    for (int t = keys.first; t < keys.end; t++) {
      weights[t] = exponential(weights[t] - shift);
      lanes[t % kLanes] += weights[t];
    }
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
      for (int i = 0; i < distance; i++) {
        lanes[i] += lanes[i + distance];
      }
    }
    write(to.sum + from, read(to.sum + from) * kept + lanes[0]);
    write(to.largest + from, largest);
    int at = 0;
    for (; at + kNumbersAtOnce <= width; at += kNumbersAtOnce) {
      add_values_of_all<kNumbersAtOnce>(
          keys, common, common_end, seen, weights, kept, at, to.answers + from);
    }
    for (; at < width; at++) {
      add_values_of_all<1>(
          keys, common, common_end, seen, weights, kept, at, to.answers + from);
    }
  }
  leave_registers();
}

constexpr Layer kLayer{gate, norm, turn, attend, attend_by_all};
