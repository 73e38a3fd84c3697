// The page that `jackdaw describe` prints about one object. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::app {

struct PageStyle {
  int width = 0;  // 0 = as wide as it gets
  bool colour = false;
  WallTime now{};  // for ages
};

// `events`: the items of the object's events. `notes`: about fields without effect.
std::string describe_page(const spec::Json& object, const std::vector<spec::Json>& events,
                          const std::vector<std::string>& notes, const PageStyle& style);

// Revisions and their traffic, from status.revisions, or from status.components.predictor where a cluster has no such
// list; "" when there are none.
std::string revisions_text(const spec::Json& object, const PageStyle& style);

}  // namespace jackdaw::app
