#include <algorithm>
#include <memory>

#include "instruction_set.h"
#include "node.h"
#include "semantic_kernels.h"
#include "thread_pool.h"

// Gated activations, norms, rotary positions and attention of one token as nodes of MLX's graph,
// and the C interface to them. All numbers are float32.

namespace semantic {
namespace {

constexpr std::size_t kNumbersOfPiece = 16'384; // some microseconds

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

struct AttentionTask {
  std::vector<Piece> pieces;
  std::vector<int> first; // piece of each sequence, and behind the last
  mx::array queries;
  mx::array out;
  mx::array scratch;
  int kv_heads;
  float scale;
  float softcap;

  void run() const {
    const auto heads = static_cast<std::size_t>(out.shape(1));
    const int width = out.shape(3);
    const std::size_t count = out.shape(0) * heads;
    std::size_t tokens = 0;
    for (const Piece& piece : pieces) {
      tokens += piece.tokens;
    }
    const bool alone = tokens * heads * width < 4 * kNumbersOfPiece;
    ThreadPool::instance().run(alone ? 1 : static_cast<int>(count), [&](int piece) {
      for (std::size_t i = piece; i < (alone ? count : piece + 1); i++) {
        attend(i, i / heads, i % heads / (heads / kv_heads), width);
      }
    });
  }

  // One head of queries of one sequence. Tokens are taken by as many at once as there may be,
  // counted from the first that is seen, wherever pieces end.
  void attend(std::size_t index, std::size_t sequence, std::size_t kv_head, int width) const {
    float* query = const_cast<float*>(reinterpret_cast<const float*>(scratch.data<std::uint8_t>())) +
        index * width;
    const float* from = queries.data<float>() + offset(queries, index);
    float* answer = row(out, index);
    for (int i = 0; i < width; i++) {
      query[i] = from[i] * scale;
      answer[i] = 0;
    }
    const auto add = product().layer.attend;
    Attended seen{answer, -__builtin_inff(), 0};
    Keys keys;
    keys.count = 0;
    for (int p = first[sequence]; p < first[sequence + 1]; p++) {
      const Piece& piece = pieces[p];
      const float* key = piece.keys + kv_head * piece.key_heads;
      const float* value = piece.values + kv_head * piece.value_heads;
      for (int t = 0; t < piece.tokens; t++) {
        keys.keys[keys.count] = key + t * piece.key_tokens;
        keys.values[keys.count] = value + t * piece.value_tokens;
        if (++keys.count == kTokensAtOnce) {
          add(query, keys, width, softcap, seen);
          keys.count = 0;
        }
      }
    }
    if (keys.count > 0) {
      add(query, keys, width, softcap, seen);
    }
    for (int i = 0; i < width; i++) {
      answer[i] /= seen.sum;
    }
  }
};

class Attend : public LayerNode {
 public:
  static constexpr const char* kName = "decode_attention";

  Attend(mx::Stream stream, std::vector<int> counts, float scale, float softcap)
      : LayerNode(stream, kName), counts_(std::move(counts)), scale_(scale), softcap_(softcap) {}

  bool is_equivalent(const mx::Primitive& other) const override {
    const auto& same = static_cast<const Attend&>(other);
    return counts_ == same.counts_ && scale_ == same.scale_ && softcap_ == same.softcap_;
  }

 protected:
  void dispatch(
      mx::cpu::CommandEncoder& encoder,
      const std::vector<mx::array>& inputs,
      mx::array out) override {
    mx::array scratch = memory(out.nbytes());
    std::vector<Piece> pieces;
    for (std::size_t i = 1; i < inputs.size(); i += 2) {
      const mx::array& keys = inputs[i];
      const mx::array& values = inputs[i + 1];
      pieces.push_back(
          {keys.data<float>(),
           values.data<float>(),
           static_cast<std::size_t>(keys.strides(1)),
           static_cast<std::size_t>(values.strides(1)),
           static_cast<std::size_t>(keys.strides(2)),
           static_cast<std::size_t>(values.strides(2)),
           keys.shape(2)});
    }
    std::vector<int> first{0};
    for (const int count : counts_) {
      first.push_back(first.back() + count);
    }
    encoder.dispatch([task = AttentionTask{
                          std::move(pieces),
                          std::move(first),
                          mx::array::unsafe_weak_copy(inputs[0]),
                          out,
                          mx::array::unsafe_weak_copy(scratch),
                          inputs[1].shape(1),
                          scale_,
                          softcap_}]() { task.run(); });
    encoder.add_temporary(std::move(scratch));
  }

 private:
  std::vector<int> counts_;
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

mx::array decode_attention(
    const mx::array& queries,
    const std::vector<mx::array>& pieces,
    std::vector<int> counts,
    float scale,
    float softcap,
    mx::Stream stream) {
  const char* node = Attend::kName;
  require_numbers(queries, node);
  require(queries.ndim() == 4 && queries.shape(2) == 1, node, "One token of each sequence.");
  require(
      queries.shape(0) == static_cast<int>(counts.size()), node, "Pieces for every sequence.");
  std::size_t all = 0;
  for (const int count : counts) {
    require(count > 0, node, "Attention to nothing.");
    all += count;
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
  return mx::array(
      queries.shape(),
      mx::float32,
      std::make_shared<Attend>(stream, std::move(counts), scale, softcap),
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

int semantic_decode_attention(
    mlx_array* res,
    const mlx_array queries,
    const mlx_vector_array pieces,
    const int* counts,
    size_t sequences,
    float scale,
    float softcap,
    const mlx_stream s) {
  return guarded(__FILE_NAME__, [&] {
    give(
        res,
        semantic::decode_attention(
            object<Array>(queries),
            object<std::vector<Array>>(pieces),
            std::vector<int>(counts, counts + sequences),
            scale,
            softcap,
            object<Stream>(s)));
  });
}
