// The kinds of objects that may be declared: one row each, in the order that discovery lists them.
#pragma once

#include <vector>

#include "jackdaw/control/resource_store.h"

namespace jackdaw::control {

std::vector<ResourceKind> declared_kinds();

}  // namespace jackdaw::control
