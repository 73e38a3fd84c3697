// What a plain (unquoted) YAML scalar is, by the rules of Kubernetes' YAML reader: go-yaml v2's resolution table
// (YAML 1.1 booleans and octals) and sigs.k8s.io/yaml's conversion to JSON (timestamps stay text).
#pragma once

#include <string>
#include <string_view>

#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

// Sets kind, boolean, integer, number and text of `node`.
void resolve_plain_scalar(std::string text, Node& node);
// The same for an explicit tag ("tag:yaml.org,2002:int"); false when the tag is unknown or does not fit the text.
bool resolve_tagged_scalar(std::string_view tag, std::string text, Node& node);
// A key that is not text becomes the text that its JSON would have; "" when it cannot be one (null, NaN).
std::string key_text(const Node& key);

}  // namespace jackdaw::spec
