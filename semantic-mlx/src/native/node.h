#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mlx/allocator.h"
#include "mlx/array.h"
#include "mlx/backend/cpu/encoder.h"
#include "mlx/c/array.h"
#include "mlx/c/error.h"
#include "mlx/c/stream.h"
#include "mlx/primitives.h"

// What nodes of MLX's graph, and the C functions that make them, have in common.

namespace semantic {

namespace mx = mlx::core;

// Memory for as long as a task needs it: give it to the encoder as a temporary.
inline mx::array memory(std::size_t bytes) {
  mx::array memory({static_cast<mx::ShapeElem>(bytes)}, mx::uint8, nullptr, {});
  memory.set_data(mx::allocator::malloc(bytes));
  return memory;
}

// Where a row, that is all numbers along the last axis, begins.
inline std::size_t offset(const mx::array& array, std::size_t row) {
  std::size_t at = 0;
  for (int axis = static_cast<int>(array.ndim()) - 2; axis >= 0; axis--) {
    const auto length = static_cast<std::size_t>(array.shape(axis));
    at += row % length * array.strides(axis);
    row /= length;
  }
  return at;
}

inline void require(bool good, const char* node, const std::string& what) {
  if (!good) {
    throw std::invalid_argument(std::string("[") + node + "] " + what);
  }
}

// Nothing thrown may leave a function of C.
template <typename Body>
int guarded(const char* file, Body body) {
  try {
    body();
    return 0;
  } catch (const std::exception& e) {
    _mlx_error(file, __LINE__, "%s", e.what());
    return 1;
  } catch (...) {
    _mlx_error(file, __LINE__, "%s", "what was thrown is no std::exception");
    return 1;
  }
}

template <typename Object, typename Handle>
Object& object(Handle handle) {
  if (handle.ctx == nullptr) {
    throw std::invalid_argument("an empty handle");
  }
  return *static_cast<Object*>(handle.ctx);
}

// Gives a result to a handle of mlx-c's.
inline void give(mlx_array* to, mx::array&& result) {
  if (to->ctx == nullptr) {
    to->ctx = new mx::array(std::move(result));
  } else {
    object<mx::array>(*to) = std::move(result);
  }
}

} // namespace semantic
