#include "src/control/selector.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace jackdaw::control {

// One pass over the text; `at_` is where the next token begins.
class SelectorParser {
 public:
  using Requirement = ObjectSelector::Requirement;
  using Test = ObjectSelector::Test;

  SelectorParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<std::vector<Requirement>> requirements() {
    std::vector<Requirement> out;
    skip_spaces();
    while (at_ < text_.size()) {
      JACKDAW_ASSIGN(Requirement requirement, one());
      out.push_back(std::move(requirement));
      skip_spaces();
      if (at_ == text_.size()) break;
      if (!take(",")) return refusal("a comma");
      skip_spaces();
      if (at_ == text_.size()) return refusal("another requirement");
    }
    return out;
  }

 private:
  Error refusal(std::string_view wanted) const {
    return make_error(Code::invalid_argument, "unable to parse the {} selector '{}': expected {} at character {}",
                      name_, text_, wanted, at_ + 1);
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  static bool is_word_character(char c) { return std::string_view(",()=!<> \t").find(c) == std::string_view::npos; }

  // May be empty: "a=" asks for an empty value.
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<Requirement> one() {
    const bool missing = take("!");
    skip_spaces();
    Requirement out;
    out.key = word();
    if (out.key.empty()) return refusal("a name");
    skip_spaces();
    if (missing) {
      out.test = Test::missing;
      return out;
    }
    if (at_ == text_.size() || text_[at_] == ',') return out;
    JACKDAW_TRY(test_of(out));
    return out;
  }

  Result<void> test_of(Requirement& out) {
    if (take("!=")) {
      out.test = Test::not_in;
      return one_value(out);
    }
    if (take("==") || take("=")) {
      out.test = Test::in;
      return one_value(out);
    }
    const std::string verb = word();
    if (verb != "in" && verb != "notin") return refusal("=, ==, !=, in or notin");
    out.test = verb == "in" ? Test::in : Test::not_in;
    return value_list(out);
  }

  Result<void> one_value(Requirement& out) {
    skip_spaces();
    out.values.push_back(word());
    return {};
  }

  Result<void> value_list(Requirement& out) {
    skip_spaces();
    if (!take("(")) return refusal("'('");
    for (;;) {
      skip_spaces();
      out.values.push_back(word());
      skip_spaces();
      if (take(")")) return {};
      if (!take(",")) return refusal("',' or ')'");
    }
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
};

Result<ObjectSelector> ObjectSelector::parse(const Selector& selector) {
  ObjectSelector out;
  JACKDAW_ASSIGN(out.labels_, SelectorParser(selector.labels, "label").requirements());
  JACKDAW_ASSIGN(out.fields_, SelectorParser(selector.fields, "field").requirements());
  for (const Requirement& requirement : out.fields_) {
    const bool known = requirement.key == "metadata.name" || requirement.key == "metadata.namespace";
    if (!known) return make_error(Code::invalid_argument, "field label not supported: {}", requirement.key);
    const bool comparison = requirement.values.size() == 1;
    if (!comparison) {
      return make_error(Code::invalid_argument,
                        "the field selector '{}' must compare with =, == or !=", selector.fields);
    }
  }
  return out;
}

// A label that is not there is in no list; what is compared with != may be missing.
bool ObjectSelector::holds(const Requirement& requirement, const spec::Json* value) {
  if (requirement.test == Test::exists) return value != nullptr;
  if (requirement.test == Test::missing) return value == nullptr;
  const bool listed = value != nullptr && std::find(requirement.values.begin(), requirement.values.end(),
                                                    value->as_text()) != requirement.values.end();
  return listed == (requirement.test == Test::in);
}

bool ObjectSelector::matches(const spec::Json& object) const {
  const spec::Json* metadata = object.find("metadata");
  const spec::Json* labels = metadata == nullptr ? nullptr : metadata->find("labels");
  const auto label_holds = [&](const Requirement& requirement) {
    return holds(requirement, labels == nullptr ? nullptr : labels->find(requirement.key));
  };
  const auto field_holds = [&](const Requirement& requirement) {
    const std::string_view member = std::string_view(requirement.key).substr(std::string_view("metadata.").size());
    return holds(requirement, metadata == nullptr ? nullptr : metadata->find(member));
  };
  return std::all_of(labels_.begin(), labels_.end(), label_holds) &&
         std::all_of(fields_.begin(), fields_.end(), field_holds);
}

}  // namespace jackdaw::control
