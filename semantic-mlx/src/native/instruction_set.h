#pragma once

#include "product.h"

namespace semantic {

// What products are computed with; at first the best that this processor has.
const Product& product();

// Another one, by name; "" for the best. Throws std::invalid_argument for a name of none, or of one
// that this processor lacks. Not while a product is computed.
void use(const char* name);

} // namespace semantic
