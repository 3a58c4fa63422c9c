#pragma once

#include <cstddef>
#include <cstdint>

// What a layer does between its products, on rows of float32 numbers. Every number is computed by
// the same additions, multiplications and divisions in the same order by every instruction set and
// whatever is computed beside it.

namespace semantic {

enum class Activation { kSilu = 0, kGeluTanh = 1 };

inline constexpr int kTokensAtOnce = 64; // their keys and values stay in the first cache

// Tokens to attend to, those at positions of one multiple of kTokensAtOnce, wherever they lie. A
// token has the same place among them whoever attends, so that sums have the same order.
struct Keys {
  const float* keys[kTokensAtOnce];
  const float* values[kTokensAtOnce];
  int first; // there are those from here
  int end; // to before here
};

// What a query has seen so far: an answer that is still to be divided by the sum of the weights.
struct Attended {
  float* answer;
  float largest; // of all scores, which weights are relative to
  float sum;
};

inline constexpr int kQueriesAtOnce = 16;

// The same of several queries: number i of all of them, then number i + 1 of all.
struct AttendedByAll {
  const float* queries;
  float* answers;
  float largest[kQueriesAtOnce];
  float sum[kQueriesAtOnce];
  std::int32_t first[kQueriesAtOnce]; // of the keys at hand each sees those from here
  std::int32_t end[kQueriesAtOnce]; // to before here
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

  // Each query gets the bits that it would get alone.
  void (*attend_by_all)(const Keys& keys, int width, float softcap, AttendedByAll& to);
};

} // namespace semantic
