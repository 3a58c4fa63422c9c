#include <algorithm>
#include <memory>

#include "instruction_set.h"
#include "node.h"
#include "semantic_kernels.h"
#include "thread_pool.h"

// Gated activations, norms, rotary positions and attention as nodes of MLX's graph,
// and the C interface to them. All numbers are float32.

namespace semantic {
namespace {

constexpr std::size_t kNumbersOfPiece = 16'384; // some microseconds
constexpr std::size_t kAlignment = 64; // of a register; reading across two lines costs

// Rows wherever an array has them, the numbers of each side by side.
class Rows32 {
 public:
  explicit Rows32(const mx::array& array) : array_(mx::array::unsafe_weak_copy(array)) {}

  const float* row(std::size_t index) const {
    return array_.data<float>() + offset(array_, index);
  }

 private:
  mx::array array_;
};

float* row(const mx::array& out, std::size_t index) {
  return const_cast<float*>(out.data<float>()) + index * out.shape(-1);
}

// Calls work(row) for every row, on as many threads as that is worth.
template <typename Work>
void for_rows(std::size_t rows, int width, const Work& work) {
  const std::size_t each = std::max<std::size_t>(1, kNumbersOfPiece / width);
  ThreadPool::instance().run(static_cast<int>((rows + each - 1) / each), [&](int piece) {
    const std::size_t first = piece * each;
    for (std::size_t i = first; i < std::min(rows, first + each); i++) {
      work(i);
    }
  });
}

// A node with one result; what it computes is a task that outlives the call.
class LayerNode : public mx::Primitive {
 public:
  LayerNode(mx::Stream stream, const char* name) : Primitive(stream), name_(name) {}

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    for (const mx::array& input : inputs) {
      require(
          input.size() == 0 || input.shape(-1) == 1 || input.strides(-1) == 1,
          name_,
          "The numbers of a row must lie side by side.");
    }
    mx::array& out = outputs[0];
    out.set_data(mx::allocator::malloc(out.nbytes()));
    if (out.size() == 0) {
      return;
    }
    auto& encoder = mx::cpu::get_command_encoder(stream());
    for (const mx::array& input : inputs) {
      encoder.set_input_array(input);
    }
    encoder.set_output_array(out);
    dispatch(encoder, inputs, mx::array::unsafe_weak_copy(out));
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::runtime_error(std::string("[") + name_ + "] This kernel is for CPUs.");
  }

  const char* name() const override {
    return name_;
  }

 protected:
  virtual void dispatch(
      mx::cpu::CommandEncoder& encoder, const std::vector<mx::array>& inputs, mx::array out) = 0;

 private:
  const char* name_;
};

class Gate : public LayerNode {
 public:
  static constexpr const char* kName = "gated_activation";

  Gate(mx::Stream stream, Activation activation)
      : LayerNode(stream, kName), activation_(activation) {}

  bool is_equivalent(const mx::Primitive& other) const override {
    return activation_ == static_cast<const Gate&>(other).activation_;
  }

 protected:
  void dispatch(
      mx::cpu::CommandEncoder& encoder,
      const std::vector<mx::array>& inputs,
      mx::array out) override {
    encoder.dispatch([both = Rows32(inputs[0]), out, activation = activation_]() {
      const int width = out.shape(-1);
      const auto gate = product().layer.gate;
      for_rows(out.size() / width, 8 * width, [&](std::size_t i) {
        const float* from = both.row(i);
        gate(activation, from, from + width, width, row(out, i));
      });
    });
  }

 private:
  Activation activation_;
};

class Norm : public LayerNode {
 public:
  static constexpr const char* kName = "rms_norm";

  Norm(mx::Stream stream, float eps) : LayerNode(stream, kName), eps_(eps) {}

  bool is_equivalent(const mx::Primitive& other) const override {
    return eps_ == static_cast<const Norm&>(other).eps_;
  }

 protected:
  void dispatch(
      mx::cpu::CommandEncoder& encoder,
      const std::vector<mx::array>& inputs,
      mx::array out) override {
    // Weights for all rows, or for each head's: [heads, 1, width] to [batch, heads, tokens, width].
    const bool by_head = inputs[1].ndim() == 3;
    const std::size_t tokens = by_head ? inputs[0].shape(2) : 1;
    const std::size_t heads = by_head ? inputs[1].shape(0) : 1;
    encoder.dispatch(
        [x = Rows32(inputs[0]), weights = Rows32(inputs[1]), out, tokens, heads, eps = eps_]() {
          const int width = out.shape(-1);
          const auto norm = product().layer.norm;
          for_rows(out.size() / width, width, [&](std::size_t i) {
            norm(x.row(i), weights.row(i / tokens % heads), eps, width, row(out, i));
          });
        });
  }

 private:
  float eps_;
};

class Turn : public LayerNode {
 public:
  static constexpr const char* kName = "rotary";

  explicit Turn(mx::Stream stream) : LayerNode(stream, kName) {}

  bool is_equivalent(const mx::Primitive&) const override {
    return true;
  }

 protected:
  void dispatch(
      mx::cpu::CommandEncoder& encoder,
      const std::vector<mx::array>& inputs,
      mx::array out) override {
    encoder.dispatch(
        [x = Rows32(inputs[0]), cosines = Rows32(inputs[1]), sines = Rows32(inputs[2]), out]() {
          const int width = out.shape(-1);
          const std::size_t tokens = out.shape(2);
          const std::size_t heads = out.shape(1);
          const auto turn = product().layer.turn;
          for_rows(out.size() / width, width, [&](std::size_t i) {
            const std::size_t position = i / (tokens * heads) * tokens + i % tokens;
            turn(x.row(i), cosines.row(position), sines.row(position), width, row(out, i));
          });
        });
  }
};

// Some tokens' keys and values of all heads, side by side in memory by tokens or not.
struct Piece {
  const float* keys;
  const float* values;
  std::size_t key_heads; // from a head to the next
  std::size_t value_heads;
  std::size_t key_tokens; // from a token to the next
  std::size_t value_tokens;
  int tokens;
};

// What a sequence holds: its pieces, and where the first token of them stands.
struct Past {
  std::vector<Piece> pieces;
  std::size_t start;
  std::size_t end;
};

struct AttentionTask {
  std::vector<Past> pasts;
  mx::array queries;
  mx::array out;
  mx::array scratch;
  std::size_t kv_heads;
  std::size_t window; // tokens that a query sees, itself among them; 0 for all
  float scale;
  float softcap;

  std::size_t heads() const {
    return out.shape(1);
  }
  std::size_t tokens() const { // of each sequence that attend
    return out.shape(2);
  }
  int width() const {
    return out.shape(3);
  }
  std::size_t heads_of_key() const {
    return heads() / kv_heads;
  }
  // Queries that see the same keys, token by token.
  std::size_t rows() const {
    return tokens() * heads_of_key();
  }
  std::size_t tiles() const {
    return (rows() + kQueriesAtOnce - 1) / kQueriesAtOnce;
  }

  // For a tile: its queries, then its answers.
  static std::size_t scratch_bytes(const mx::array& queries, std::size_t kv_heads) {
    const std::size_t rows = queries.shape(1) / kv_heads * queries.shape(2);
    const std::size_t tiles = (rows + kQueriesAtOnce - 1) / kQueriesAtOnce;
    const std::size_t tile = 2 * kQueriesAtOnce * queries.shape(3) * sizeof(float);
    const std::size_t all = queries.shape(0) * kv_heads * tiles * tile;
    return kAlignment + (queries.shape(2) == 1 ? queries.nbytes() : all);
  }

  void run() const {
    const bool by_tiles = tokens() > 1;
    const std::size_t count = pasts.size() * (by_tiles ? kv_heads * tiles() : heads());
    std::size_t held = 0;
    for (const Past& past : pasts) {
      held += past.end - past.start;
    }
    const bool alone = held * heads() * tokens() * width() < 4 * kNumbersOfPiece;
    ThreadPool::instance().run(alone ? 1 : static_cast<int>(count), [&](int piece) {
      for (std::size_t i = piece; i < (alone ? count : piece + 1); i++) {
        if (by_tiles) {
          attend_by_tile(i);
        } else {
          attend(i);
        }
      }
    });
  }

  // The first token that the one at `position` sees.
  std::size_t seen_from(const Past& past, std::size_t position) const {
    const bool forgets = window != 0 && position + 1 > past.start + window;
    return forgets ? position + 1 - window : past.start;
  }

  // Calls work(keys, position of the first place in them) for the tokens from `first` to `end`.
  template <typename Work>
  static void by_blocks(
      const Past& past, std::size_t kv_head, std::size_t first, std::size_t end, const Work& work) {
    Keys keys;
    std::size_t at = past.start;
    std::size_t begun = first;
    for (const Piece& piece : past.pieces) {
      const float* key = piece.keys + kv_head * piece.key_heads;
      const float* value = piece.values + kv_head * piece.value_heads;
      const std::size_t to = std::min(end, at + piece.tokens);
      for (std::size_t t = std::max(first, at); t < to; t++) {
        const std::size_t place = t % kTokensAtOnce;
        keys.keys[place] = key + (t - at) * piece.key_tokens;
        keys.values[place] = value + (t - at) * piece.value_tokens;
        if (place + 1 == kTokensAtOnce || t + 1 == end) {
          keys.first = static_cast<int>(begun % kTokensAtOnce);
          keys.end = static_cast<int>(place + 1);
          work(keys, t - place);
          begun = t + 1;
        }
      }
      at += piece.tokens;
    }
  }

  float* memory_at(std::size_t index) const {
    auto* bytes = const_cast<std::uint8_t*>(scratch.data<std::uint8_t>());
    bytes += (kAlignment - reinterpret_cast<std::uintptr_t>(bytes) % kAlignment) % kAlignment;
    return reinterpret_cast<float*>(bytes) + index;
  }

  // One head of queries of the only token of a sequence.
  void attend(std::size_t index) const {
    const Past& past = pasts[index / heads()];
    float* query = memory_at(index * width());
    const float* from = queries.data<float>() + offset(queries, index);
    float* answer = row(out, index);
    for (int i = 0; i < width(); i++) {
      query[i] = from[i] * scale;
      answer[i] = 0;
    }
    Attended seen{answer, -__builtin_inff(), 0};
    by_blocks(
        past,
        index % heads() / heads_of_key(),
        seen_from(past, past.end - 1),
        past.end,
        [&](const Keys& keys, std::size_t) {
          product().layer.attend(query, keys, width(), softcap, seen);
        });
    for (int i = 0; i < width(); i++) {
      answer[i] /= seen.sum;
    }
  }

  // Several queries that share a head of keys, of tokens next to each other.
  void attend_by_tile(std::size_t index) const {
    const std::size_t sequence = index / (kv_heads * tiles());
    const std::size_t kv_head = index / tiles() % kv_heads;
    const std::size_t first_row = index % tiles() * kQueriesAtOnce;
    const std::size_t count = std::min<std::size_t>(kQueriesAtOnce, rows() - first_row);
    const Past& past = pasts[sequence];
    const auto token = [&](std::size_t i) { return (first_row + i) / heads_of_key(); };
    const auto row_of = [&](std::size_t i) {
      const std::size_t head = kv_head * heads_of_key() + (first_row + i) % heads_of_key();
      return (sequence * heads() + head) * tokens() + token(i);
    };
    const auto position = [&](std::size_t i) { return past.end - tokens() + token(i); };
    const std::size_t numbers = static_cast<std::size_t>(kQueriesAtOnce) * width();
    float* side_by_side = memory_at(2 * index * numbers);
    AttendedByAll seen;
    seen.queries = side_by_side;
    seen.answers = side_by_side + numbers;
    std::fill(side_by_side, side_by_side + 2 * numbers, 0.0f);
    std::fill(seen.largest, seen.largest + kQueriesAtOnce, -__builtin_inff());
    std::fill(seen.sum, seen.sum + kQueriesAtOnce, 0.0f);
    for (std::size_t i = 0; i < count; i++) {
      const float* from = queries.data<float>() + offset(queries, row_of(i));
      for (int k = 0; k < width(); k++) {
        side_by_side[k * kQueriesAtOnce + i] = from[k] * scale;
      }
    }
    by_blocks(
        past,
        kv_head,
        seen_from(past, position(0)),
        position(count - 1) + 1,
        [&](const Keys& keys, std::size_t block) {
          const auto place = [&](std::size_t at) {
            return static_cast<int>(std::clamp(at, block, block + kTokensAtOnce) - block);
          };
          for (std::size_t i = 0; i < kQueriesAtOnce; i++) { // those that are none see as the last
            const std::size_t at = position(std::min(i, count - 1));
            seen.first[i] = place(seen_from(past, at));
            seen.end[i] = place(at + 1);
          }
          product().layer.attend_by_all(keys, width(), softcap, seen);
        });
    for (std::size_t i = 0; i < count; i++) {
      float* answer = row(out, row_of(i));
      for (int k = 0; k < width(); k++) {
        answer[k] = seen.answers[k * kQueriesAtOnce + i] / seen.sum[i];
      }
    }
  }
};

class Attend : public LayerNode {
 public:
  static constexpr const char* kName = "attention";

  Attend(
      mx::Stream stream,
      std::vector<int> counts,
      std::vector<int> starts,
      int window,
      float scale,
      float softcap)
      : LayerNode(stream, kName),
        counts_(std::move(counts)),
        starts_(std::move(starts)),
        window_(window),
        scale_(scale),
        softcap_(softcap) {}

  bool is_equivalent(const mx::Primitive& other) const override {
    const auto& same = static_cast<const Attend&>(other);
    return counts_ == same.counts_ && starts_ == same.starts_ && window_ == same.window_ &&
        scale_ == same.scale_ && softcap_ == same.softcap_;
  }

 protected:
  void dispatch(
      mx::cpu::CommandEncoder& encoder,
      const std::vector<mx::array>& inputs,
      mx::array out) override {
    const std::size_t kv_heads = inputs[1].shape(1);
    mx::array scratch = memory(AttentionTask::scratch_bytes(inputs[0], kv_heads));
    std::vector<Past> pasts;
    std::size_t next = 1;
    for (std::size_t i = 0; i < counts_.size(); i++) {
      Past past{{}, static_cast<std::size_t>(starts_[i]), static_cast<std::size_t>(starts_[i])};
      for (int piece = 0; piece < counts_[i]; piece++, next += 2) {
        past.pieces.push_back(piece_of(inputs[next], inputs[next + 1]));
        past.end += past.pieces.back().tokens;
      }
      pasts.push_back(std::move(past));
    }
    encoder.dispatch([task = AttentionTask{
                          std::move(pasts),
                          mx::array::unsafe_weak_copy(inputs[0]),
                          out,
                          mx::array::unsafe_weak_copy(scratch),
                          kv_heads,
                          static_cast<std::size_t>(window_),
                          scale_,
                          softcap_}]() { task.run(); });
    encoder.add_temporary(std::move(scratch));
  }

 private:
  static Piece piece_of(const mx::array& keys, const mx::array& values) {
    return {
        keys.data<float>(),
        values.data<float>(),
        static_cast<std::size_t>(keys.strides(1)),
        static_cast<std::size_t>(values.strides(1)),
        static_cast<std::size_t>(keys.strides(2)),
        static_cast<std::size_t>(values.strides(2)),
        keys.shape(2)};
  }

  std::vector<int> counts_;
  std::vector<int> starts_;
  int window_;
  float scale_;
  float softcap_;
};

void require_numbers(const mx::array& array, const char* node) {
  require(array.dtype() == mx::float32, node, "Only float32 numbers.");
}

mx::array gated_activation(const mx::array& both, int activation, mx::Stream stream) {
  require_numbers(both, Gate::kName);
  require(
      both.ndim() > 0 && both.shape(-1) > 0 && both.shape(-1) % 2 == 0,
      Gate::kName,
      "Half of a row is the gate, the other half what it gates.");
  require(
      activation == 0 || activation == 1,
      Gate::kName,
      "There is no activation " + std::to_string(activation) + ".");
  mx::Shape shape = both.shape();
  shape.back() /= 2;
  return mx::array(
      std::move(shape),
      mx::float32,
      std::make_shared<Gate>(stream, static_cast<Activation>(activation)),
      {both});
}

mx::array rms_norm(const mx::array& x, const mx::array& weights, float eps, mx::Stream stream) {
  require_numbers(x, Norm::kName);
  require_numbers(weights, Norm::kName);
  const bool fits = x.ndim() > 0 && x.shape(-1) > 0 && weights.ndim() > 0 &&
      weights.shape(-1) == x.shape(-1);
  const bool by_head = weights.ndim() == 3 && weights.shape(1) == 1 && x.ndim() == 4 &&
      x.shape(1) == weights.shape(0);
  require(
      fits && (weights.ndim() == 1 || by_head), Norm::kName, "The weights do not fit the rows.");
  return mx::array(x.shape(), mx::float32, std::make_shared<Norm>(stream, eps), {x, weights});
}

mx::array rotary(
    const mx::array& x, const mx::array& cosines, const mx::array& sines, mx::Stream stream) {
  require_numbers(x, Turn::kName);
  require_numbers(cosines, Turn::kName);
  require_numbers(sines, Turn::kName);
  require(x.ndim() == 4 && x.shape(3) % 2 == 0, Turn::kName, "Rows must have two halves.");
  const mx::Shape shape{x.shape(0), 1, x.shape(2), x.shape(3)};
  require(
      cosines.shape() == shape && sines.shape() == shape,
      Turn::kName,
      "The tables do not fit the rows.");
  return mx::array(x.shape(), mx::float32, std::make_shared<Turn>(stream), {x, cosines, sines});
}

mx::array attention(
    const mx::array& queries,
    const std::vector<mx::array>& pieces,
    std::vector<int> counts,
    std::vector<int> starts,
    int window,
    float scale,
    float softcap,
    mx::Stream stream) {
  const char* node = Attend::kName;
  require_numbers(queries, node);
  require(
      queries.ndim() == 4 && queries.shape(2) > 0 && queries.shape(3) > 0,
      node,
      "Tokens of each sequence.");
  require(window >= 0, node, "No window is less than nothing.");
  require(
      queries.shape(0) == static_cast<int>(counts.size()), node, "Pieces for every sequence.");
  std::size_t all = 0;
  for (std::size_t i = 0; i < counts.size(); i++) {
    require(counts[i] > 0, node, "Attention to nothing.");
    require(starts[i] >= 0, node, "No token stands before the first.");
    all += counts[i];
  }
  require(2 * all == pieces.size(), node, "Keys and values of every piece.");
  const int kv_heads = pieces[0].ndim() == 4 ? pieces[0].shape(1) : 0;
  require(
      kv_heads > 0 && queries.shape(1) % kv_heads == 0, node, "Heads of keys for the queries.");
  std::vector<mx::array> inputs{queries};
  for (std::size_t i = 0; i < pieces.size(); i += 2) {
    require_numbers(pieces[i], node);
    require_numbers(pieces[i + 1], node);
    require(
        pieces[i].ndim() == 4 && pieces[i].shape() == pieces[i + 1].shape() &&
            pieces[i].shape(0) == 1 && pieces[i].shape(1) == kv_heads &&
            pieces[i].shape(3) == queries.shape(3),
        node,
        "The keys and values do not fit the queries.");
    inputs.push_back(pieces[i]);
    inputs.push_back(pieces[i + 1]);
  }
  std::size_t next = 0;
  for (const int count : counts) {
    std::int64_t tokens = 0;
    for (int piece = 0; piece < count; piece++, next += 2) {
      tokens += pieces[next].shape(2);
    }
    require(tokens >= queries.shape(2), node, "What attends is not among what is attended to.");
  }
  return mx::array(
      queries.shape(),
      mx::float32,
      std::make_shared<Attend>(
          stream, std::move(counts), std::move(starts), window, scale, softcap),
      std::move(inputs));
}

} // namespace
} // namespace semantic

using semantic::give;
using semantic::guarded;
using semantic::object;
using Array = mlx::core::array;
using Stream = mlx::core::Stream;

int semantic_gated_activation(
    mlx_array* res, const mlx_array both, int activation, const mlx_stream s) {
  return guarded(__FILE_NAME__, [&] {
    give(res, semantic::gated_activation(object<Array>(both), activation, object<Stream>(s)));
  });
}

int semantic_rms_norm(
    mlx_array* res, const mlx_array x, const mlx_array weights, float eps, const mlx_stream s) {
  return guarded(__FILE_NAME__, [&] {
    give(
        res, semantic::rms_norm(object<Array>(x), object<Array>(weights), eps, object<Stream>(s)));
  });
}

int semantic_rotary(
    mlx_array* res,
    const mlx_array x,
    const mlx_array cosines,
    const mlx_array sines,
    const mlx_stream s) {
  return guarded(__FILE_NAME__, [&] {
    give(
        res,
        semantic::rotary(
            object<Array>(x), object<Array>(cosines), object<Array>(sines), object<Stream>(s)));
  });
}

int semantic_attention(
    mlx_array* res,
    const mlx_array queries,
    const mlx_vector_array pieces,
    const int* counts,
    const int* starts,
    size_t sequences,
    int window,
    float scale,
    float softcap,
    const mlx_stream s) {
  return guarded(__FILE_NAME__, [&] {
    give(
        res,
        semantic::attention(
            object<Array>(queries),
            object<std::vector<Array>>(pieces),
            std::vector<int>(counts, counts + sequences),
            std::vector<int>(starts, starts + sequences),
            window,
            scale,
            softcap,
            object<Stream>(s)));
  });
}
