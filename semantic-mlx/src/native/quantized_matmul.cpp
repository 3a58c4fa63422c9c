#include <algorithm>
#include <memory>

#include "instruction_set.h"
#include "node.h"
#include "semantic_kernels.h"
#include "thread_pool.h"

// Quantised products as a node of MLX's graph, and the C interface to them.

namespace semantic {
namespace {

constexpr const char* kName = "quantized_matmul";
constexpr int kRowsAtOnce = 16; // of the matrix: their scales stay in the first cache
constexpr int kVectorsAtOnce = 8; // packed, they stay there, too
constexpr int kMostScales = 8192; // of rows at once, on the stack
constexpr std::size_t kExpanded = 65'536; // bytes of rows at once, on the stack
constexpr std::size_t kBatch = 256; // vectors that are packed at a time
constexpr std::int64_t kAlone = 60'000; // multiplications: less is done before a thread has woken

// A node's arrays as its task sees them: the encoder keeps their memory until the task is done.
struct Task {
  Layout layout;
  mx::array x;
  mx::array weights;
  mx::array scales;
  mx::array biases;
  mx::array out;
  mx::array scratch;
  int rows; // of the matrix
  std::size_t vectors;
};

// Applies `action` to a null pointer of the type that numbers of this format have.
template <typename Action>
void with_type(mx::Dtype type, Action action) {
  switch (type) {
    case mx::float32:
      return action(static_cast<float*>(nullptr));
    case mx::float16:
      return action(static_cast<mx::float16_t*>(nullptr));
    default:
      return action(static_cast<mx::bfloat16_t*>(nullptr));
  }
}

Number number(mx::Dtype type) {
  return type == mx::float32 ? Number::kFloat32
      : type == mx::float16  ? Number::kFloat16
                             : Number::kBfloat16;
}

// Numbers of a row as floats, wherever its array has them.
void read(const mx::array& from, std::size_t row, int count, float* to) {
  const std::size_t at = offset(from, row);
  with_type(from.dtype(), [&](auto* type) {
    const auto* numbers = from.data<std::remove_pointer_t<decltype(type)>>() + at;
    const std::int64_t stride = from.strides(-1);
    for (int i = 0; i < count; i++) {
      to[i] = static_cast<float>(numbers[i * stride]);
    }
  });
}

// The parts of the scratch memory, for as many vectors as are packed at a time.
class Packed {
 public:
  Packed(const Layout& layout, std::size_t vectors, std::byte* memory)
      : layout_(layout), vectors_(vectors), memory_(aligned(memory)) {}

  static std::size_t bytes(const Layout& layout, std::size_t vectors) {
    return 64 + vectors * (layout.packed_bytes() + layout.in * sizeof(float) + 1);
  }

  std::byte* vector(std::size_t index) const {
    return memory_ + index * layout_.packed_bytes();
  }

  float* numbers(std::size_t index) const {
    return reinterpret_cast<float*>(vector(vectors_)) + index * layout_.in;
  }

  // Whether the vector is there in fixed point.
  bool& fixed(std::size_t index) const {
    return reinterpret_cast<bool*>(numbers(vectors_))[index];
  }

 private:
  static std::byte* aligned(std::byte* memory) {
    return memory + (64 - reinterpret_cast<std::uintptr_t>(memory) % 64) % 64;
  }

  Layout layout_;
  std::size_t vectors_;
  std::byte* memory_;
};

// What fixed point cannot hold: the same product number by number, where NaN and infinity are what
// they are in any arithmetic.
float number_by_number(
    const Layout& layout,
    const std::uint8_t* row,
    const float* scales,
    const float* biases,
    const float* x) {
  double sum = 0;
  for (int i = 0; i < layout.in; i++) {
    const int at = i * layout.bits;
    int value = row[at / 8] >> at % 8;
    if (at % 8 + layout.bits > 8) {
      value |= row[at / 8 + 1] << (8 - at % 8);
    }
    value &= (1 << layout.bits) - 1;
    const int group = i / layout.group;
    sum += (static_cast<double>(scales[group]) * value + biases[group]) * x[i];
  }
  return static_cast<float>(sum);
}

class Multiplication {
 public:
  Multiplication(const Task& task, std::size_t first, std::size_t count)
      : task_(task),
        first_(first),
        count_(count),
        product_(product()),
        packed_(
            task.layout,
            count,
            const_cast<std::byte*>(
                reinterpret_cast<const std::byte*>(task.scratch.data<std::uint8_t>()))) {}

  void run() {
    auto& pool = ThreadPool::instance();
    const std::int64_t work = static_cast<std::int64_t>(count_) * task_.rows * task_.layout.in;
    const bool alone = work < kAlone;
    const int vectors_of_piece = static_cast<int>(
        alone ? count_ : std::max<std::size_t>(1, kAlone / (8 * task_.layout.in)));
    pool.run(pieces(static_cast<int>(count_), vectors_of_piece), [&](int piece) {
      const std::size_t from = static_cast<std::size_t>(piece) * vectors_of_piece;
      for (std::size_t v = from; v < std::min(count_, from + vectors_of_piece); v++) {
        pack(v);
      }
    });
    if (rows_expanded() > 0) {
      pool.run(static_cast<int>(tiles()), [&](int tile) { arrange(tile); });
    }
    const int rows_of_piece = alone ? task_.rows : rows_of_piece_for(work, pool.threads());
    pool.run(pieces(task_.rows, rows_of_piece), [&](int piece) {
      const int from = piece * rows_of_piece;
      for (int row = from; row < std::min(task_.rows, from + rows_of_piece);) {
        row += multiply(row, std::min(task_.rows, from + rows_of_piece));
      }
    });
  }

 private:
  static int pieces(int all, int each) {
    return (all + each - 1) / each;
  }

  // Large enough that taking one is no cost, and several for each thread.
  int rows_of_piece_for(std::int64_t work, int threads) const {
    const std::int64_t wanted = std::clamp<std::int64_t>(
        work / (kAlone / 2), 1, std::max<std::int64_t>(8 * threads, task_.rows / 4096));
    const int rows = static_cast<int>((task_.rows + wanted - 1) / wanted);
    return (rows + kRowsAtOnce - 1) / kRowsAtOnce * kRowsAtOnce;
  }

  void pack(std::size_t v) const {
    float* numbers = packed_.numbers(v);
    read(task_.x, first_ + v, task_.layout.in, numbers);
    packed_.fixed(v) = product_.pack(task_.layout, numbers, packed_.vector(v));
  }

  // Rows that are expanded at once for tiles of vectors; 0 where none are.
  int rows_expanded() const {
    const std::size_t fit = kExpanded / task_.layout.expanded_bytes();
    return product_.many == nullptr || count_ < kVectorsSideBySide
        ? 0
        : static_cast<int>(std::min<std::size_t>(kRowsAtOnce, fit));
  }

  // Vectors that lie side by side; those behind the last tile do not.
  std::size_t tiles() const {
    return count_ / kVectorsSideBySide;
  }

  // In place of their floats, which only vectors that are not fixed are asked for.
  void arrange(std::size_t tile) const {
    const std::size_t first = tile * kVectorsSideBySide;
    if (all_fixed(tile)) {
      auto* to = reinterpret_cast<std::byte*>(packed_.numbers(first));
      product_.many->arrange(task_.layout, packed_.vector(first), to);
    }
  }

  bool all_fixed(std::size_t tile) const {
    for (int i = 0; i < kVectorsSideBySide; i++) {
      if (!packed_.fixed(tile * kVectorsSideBySide + i)) {
        return false;
      }
    }
    return true;
  }

  // Some rows of the matrix, from `row` on; returns how many.
  int multiply(int row, int end) const {
    const Layout& layout = task_.layout;
    const int groups = layout.padded_groups();
    alignas(64) float scales[kMostScales];
    alignas(64) float biases[kMostScales];
    const int expanded = rows_expanded();
    const int most = expanded > 0 ? expanded : kRowsAtOnce;
    const int count = std::min({end - row, most, kMostScales / groups});
    for (int i = 0; i < count; i++) {
      widen(task_.scales, row + i, scales + i * groups);
      widen(task_.biases, row + i, biases + i * groups);
    }
    const auto* weights = reinterpret_cast<const std::uint8_t*>(task_.weights.data<std::uint32_t>()) +
        row * layout.row_bytes();
    const Rows rows{weights, scales, biases, count};
    if (expanded > 0) {
      multiply_tiles(rows, row);
    }
    const std::size_t by_tiles = expanded > 0 ? tiles() * kVectorsSideBySide : 0;
    for (std::size_t v = by_tiles; v < count_; v += kVectorsAtOnce) {
      multiply_some(rows, row, v, std::min<std::size_t>(kVectorsAtOnce, count_ - v));
    }
    return count;
  }

  void multiply_tiles(const Rows& rows, int row) const {
    const Layout& layout = task_.layout;
    alignas(64) std::byte expanded[kExpanded];
    for (int i = 0; i < rows.count; i++) {
      product_.many->expand(
          layout, rows.weights + i * layout.row_bytes(), expanded + i * layout.expanded_bytes());
    }
    for (std::size_t tile = 0; tile < tiles(); tile++) {
      const std::size_t first = tile * kVectorsSideBySide;
      if (!all_fixed(tile)) {
        for (std::size_t v = first; v < first + kVectorsSideBySide; v += kVectorsAtOnce) {
          multiply_some(rows, row, v, kVectorsAtOnce);
        }
        continue;
      }
      float results[kRowsAtOnce * kVectorsSideBySide];
      product_.many->multiply(
          layout,
          expanded,
          rows.scales,
          rows.biases,
          rows.count,
          reinterpret_cast<const std::byte*>(packed_.numbers(first)),
          results);
      for (int v = 0; v < kVectorsSideBySide; v++) {
        float of_vector[kRowsAtOnce];
        for (int i = 0; i < rows.count; i++) {
          of_vector[i] = results[i * kVectorsSideBySide + v];
        }
        write(of_vector, first + v, row, rows.count);
      }
    }
  }

  // With a few vectors, from `first` on.
  void multiply_some(const Rows& rows, int row, std::size_t first, std::size_t vectors) const {
    const Layout& layout = task_.layout;
    const int groups = layout.padded_groups();
    float results[kVectorsAtOnce * kRowsAtOnce];
    product_.multiply(
        layout, rows, packed_.vector(first), static_cast<int>(vectors), results, kRowsAtOnce);
    for (std::size_t i = 0; i < vectors; i++) {
      float* of_vector = results + i * kRowsAtOnce;
      if (!packed_.fixed(first + i)) {
        for (int k = 0; k < rows.count; k++) {
          of_vector[k] = number_by_number(
              layout,
              rows.weights + k * layout.row_bytes(),
              rows.scales + k * groups,
              rows.biases + k * groups,
              packed_.numbers(first + i));
        }
      }
      write(of_vector, first + i, row, rows.count);
    }
  }

  void widen(const mx::array& from, int row, float* to) const {
    const int groups = task_.layout.groups();
    const std::size_t bytes = groups * from.itemsize();
    const auto* numbers = from.data<std::uint8_t>() + row * bytes;
    for (std::size_t at = 0; at < bytes; at += 64) { // of rows to come, as kAhead does for weights
      __builtin_prefetch(numbers + 2 * kRowsAtOnce * bytes + at);
    }
    product_.widen(number(from.dtype()), numbers, groups, task_.layout.padded_groups(), to);
  }

  // Vectors are counted from the first that is packed.
  void write(const float* results, std::size_t vector, int row, int count) const {
    with_type(task_.out.dtype(), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      T* to = const_cast<T*>(task_.out.data<T>()) + (first_ + vector) * task_.rows + row;
      for (int i = 0; i < count; i++) {
        to[i] = static_cast<T>(results[i]);
      }
    });
  }

  const Task& task_;
  std::size_t first_;
  std::size_t count_;
  const Product& product_;
  Packed packed_;
};

class QuantizedMatmul : public mx::Primitive {
 public:
  QuantizedMatmul(mx::Stream stream, int group, int bits)
      : Primitive(stream), group_(group), bits_(bits) {}

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    for (std::size_t i = 1; i < inputs.size(); i++) {
      if (!inputs[i].flags().row_contiguous) {
        throw std::invalid_argument("[quantized_matmul] The matrix must be contiguous.");
      }
    }
    mx::array& out = outputs[0];
    out.set_data(mx::allocator::malloc(out.nbytes()));
    if (out.size() == 0) {
      return;
    }
    const int in = inputs[0].shape(-1);
    const Layout layout{in, bits_, group_};
    const std::size_t vectors = inputs[0].size() / in;
    mx::array scratch = memory(Packed::bytes(layout, std::min(vectors, kBatch)));
    auto& encoder = mx::cpu::get_command_encoder(stream());
    for (const mx::array& input : inputs) {
      encoder.set_input_array(input);
    }
    encoder.set_output_array(out);
    encoder.dispatch([task = Task{
                          layout,
                          mx::array::unsafe_weak_copy(inputs[0]),
                          mx::array::unsafe_weak_copy(inputs[1]),
                          mx::array::unsafe_weak_copy(inputs[2]),
                          mx::array::unsafe_weak_copy(inputs[3]),
                          mx::array::unsafe_weak_copy(out),
                          mx::array::unsafe_weak_copy(scratch),
                          out.shape(-1),
                          vectors}]() {
      for (std::size_t first = 0; first < task.vectors; first += kBatch) {
        Multiplication(task, first, std::min(kBatch, task.vectors - first)).run();
      }
    });
    encoder.add_temporary(std::move(scratch));
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::runtime_error("[quantized_matmul] This kernel is for CPUs.");
  }

  const char* name() const override {
    return "SemanticQuantizedMatmul";
  }

  bool is_equivalent(const mx::Primitive& other) const override {
    const auto& same = static_cast<const QuantizedMatmul&>(other);
    return group_ == same.group_ && bits_ == same.bits_;
  }

 private:
  int group_;
  int bits_;
};

bool is_number(mx::Dtype type) {
  return type == mx::float32 || type == mx::float16 || type == mx::bfloat16;
}

mx::array quantized_matmul(
    const mx::array& x,
    const mx::array& w,
    const mx::array& scales,
    const mx::array& biases,
    int group,
    int bits,
    mx::Stream stream) {
  require(
      bits == 2 || bits == 3 || bits == 4 || bits == 5 || bits == 6 || bits == 8,
      kName,
      "No integers of " + std::to_string(bits) + " bits.");
  require(
      group == 32 || group == 64 || group == 128,
      kName,
      "No groups of " + std::to_string(group) + ".");
  require(
      x.ndim() > 0 && w.ndim() == 2 && scales.ndim() == 2, kName, "The matrix must have two axes.");
  const Layout layout{x.shape(-1), bits, group};
  require(
      layout.in > 0 && layout.in % group == 0,
      kName,
      std::to_string(layout.in) + " numbers are not groups of " + std::to_string(group) + ".");
  require(
      layout.padded_groups() <= kMostScales,
      kName,
      std::to_string(layout.in) + " numbers are more than a row may have.");
  require(
      w.dtype() == mx::uint32 && w.shape(1) * sizeof(std::uint32_t) == layout.row_bytes(),
      kName,
      "The matrix' integers do not fit the vectors.");
  require(
      scales.shape(0) == w.shape(0) && scales.shape(1) == layout.groups() &&
          biases.shape() == scales.shape(),
      kName,
      "The scales and biases do not fit the matrix.");
  require(
      is_number(x.dtype()) && is_number(scales.dtype()) && is_number(biases.dtype()),
      kName,
      "Only float32, float16 and bfloat16 numbers.");
  mx::Shape shape = x.shape();
  shape.back() = w.shape(0);
  return mx::array(
      std::move(shape),
      x.dtype(),
      std::make_shared<QuantizedMatmul>(stream, group, bits),
      {x, w, scales, biases});
}

} // namespace
} // namespace semantic

int semantic_kernels_use(const char* instruction_set) {
  return semantic::guarded(__FILE_NAME__, [&] { semantic::use(instruction_set); });
}

const char* semantic_kernels_instruction_set(void) {
  return semantic::product().name;
}

int semantic_kernels_threads(int threads) {
  return semantic::guarded(__FILE_NAME__, [&] { semantic::ThreadPool::instance().limit(threads); });
}

int semantic_quantized_matmul(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    int group_size,
    int bits,
    const mlx_stream s) {
  using semantic::object;
  namespace mx = mlx::core;
  return semantic::guarded(__FILE_NAME__, [&] {
    mx::array result = semantic::quantized_matmul(
        object<mx::array>(x),
        object<mx::array>(w),
        object<mx::array>(scales),
        object<mx::array>(biases),
        group_size,
        bits,
        object<mx::Stream>(s));
    semantic::give(res, std::move(result));
  });
}
