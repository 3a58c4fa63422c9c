#pragma once

#include <cstddef>

// What a layer does between its products, on rows of float32 numbers. Every number is computed by
// the same additions, multiplications and divisions in the same order by every instruction set and
// whatever is computed beside it.

namespace semantic {

enum class Activation { kSilu = 0, kGeluTanh = 1 };

inline constexpr int kTokensAtOnce = 64; // their keys and values stay in the first cache

// Tokens to attend to, at most so many; wherever they lie.
struct Keys {
  const float* keys[kTokensAtOnce];
  const float* values[kTokensAtOnce];
  int count;
};

// What a query has seen so far: an answer that is still to be divided by the sum of the weights.
struct Attended {
  float* answer;
  float largest; // of all scores, which weights are relative to
  float sum;
};

struct Layer {
  // out = activation(gate) * up
  void (*gate)(Activation activation, const float* gate, const float* up, int count, float* out);

  // Root mean square normalisation; no weights where there are none.
  void (*norm)(const float* x, const float* weight, float eps, int count, float* out);

  // Rotary positions: the halves of a row against each other, by tables as wide as the row.
  void (*turn)(const float* x, const float* cosines, const float* sines, int count, float* out);

  // Tokens of one head, as many as there are at once; scores are bent where softcap is not 0.
  void (*attend)(const float* query, const Keys& keys, int width, float softcap, Attended& to);
};

} // namespace semantic
