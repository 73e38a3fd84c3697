// Selectors of lists and watches, parsed once and matched against many objects.
// Grammar: Kubernetes' apimachinery/pkg/labels/selector.go and pkg/fields/selector.go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/control/resource_store.h"

namespace jackdaw::control {

class ObjectSelector {
 public:
  // Labels: "app=iris,tier!=dev,owner,!old,env in (a,b),zone notin (c)". Fields: metadata.name and metadata.namespace
  // with =, == and !=. Code::invalid_argument with the place otherwise.
  static Result<ObjectSelector> parse(const Selector& selector);

  bool matches(const spec::Json& object) const;
  bool matches_all() const { return labels_.empty() && fields_.empty(); }

 private:
  enum class Test : unsigned char { exists, missing, in, not_in };
  struct Requirement {
    std::string key;
    Test test = Test::exists;
    std::vector<std::string> values;
  };
  friend class SelectorParser;

  static bool holds(const Requirement& requirement, const spec::Json* value);

  std::vector<Requirement> labels_;
  std::vector<Requirement> fields_;
};

}  // namespace jackdaw::control
