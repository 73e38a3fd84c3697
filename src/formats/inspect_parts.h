// The parts of inspect.cpp that know one family of files each.
#pragma once

#include <string_view>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"
#include "jackdaw/formats/object_graph.h"
#include "jackdaw/formats/tree_model.h"
#include "src/formats/inspect_page.h"
#include "src/formats/model_listing.h"

namespace jackdaw::formats {

void describe_object_graph(const ObjectGraph& graph, std::string_view name, Page& page);
Result<void> describe_tree_file(Bytes file, TreeFileKind kind, std::string_view name, Page& page);

struct ModelPageHead {
  std::string_view name;  // of the file or folder
  std::uint64_t size = 0;
  std::string_view note;  // why its other files are not described with it; "" = they are
};
void describe_model(const ModelListing& listing, const ModelPageHead& head, Page& page);

}  // namespace jackdaw::formats
