// The readers behind parse_yaml and parse_json, which also keep what was read before a fault and its exact place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

struct SyntaxFault {
  std::string message;  // empty: no fault
  SourcePlace place;
};

// Documents before the fault are in `documents`.
SyntaxFault read_yaml(std::string_view text, std::string_view file, const ReadLimits& limits,
                      std::vector<DocumentPtr>& documents);
SyntaxFault read_json(std::string_view text, std::string_view file, const ReadLimits& limits,
                      std::vector<DocumentPtr>& documents);

// Sets parent and file of every node; the document must not move afterwards.
void link_nodes(Document& document);

}  // namespace jackdaw::spec
