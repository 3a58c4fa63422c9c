#include "instruction_set.h"

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

namespace semantic {
namespace {

// The best come first.
constexpr const Product* kProducts[] = {&kAvx512Vnni, &kAvxVnni, &kAvx2, &kPortable};

const Product* best() {
  for (const Product* product : kProducts) {
    if (product->supported()) {
      return product;
    }
  }
  return &kPortable;
}

std::atomic<const Product*>& chosen() {
  static std::atomic<const Product*> product{best()};
  return product;
}

} // namespace

const Product& product() {
  return *chosen().load(std::memory_order_relaxed);
}

void use(const char* name) {
  if (*name == 0) {
    chosen() = best();
    return;
  }
  for (const Product* product : kProducts) {
    if (std::strcmp(product->name, name) == 0) {
      if (!product->supported()) {
        throw std::invalid_argument(std::string("This processor has no ") + name);
      }
      chosen() = product;
      return;
    }
  }
  throw std::invalid_argument(
      std::string("No instructions are called '") + name +
      "'; there are portable, avx2, avx-vnni and avx512-vnni");
}

} // namespace semantic
