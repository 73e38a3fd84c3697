#include <algorithm>
#include <charconv>
#include <cmath>

#include "jackdaw/base/text.h"
#include "src/formats/ubjson_cursor.h"
#include "src/formats/xgboost_parts.h"

namespace jackdaw::formats {
namespace {

Error model_error(std::string_view message) {
  return Error{Code::parse_error, std::string(message), {}};
}

// ---- scalars that the file keeps as text --------------------------------------------------------------------------

Result<std::uint32_t> size_param(const NamedValues& params, std::string_view name, std::uint32_t fallback,
                                 std::uint32_t limit) {
  const std::string_view text = value_or(params, name, "");
  if (text.empty()) return fallback;
  std::uint64_t value = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || stop != text.data() + text.size()) {
    return model_error(fmt::format("{} is '{}', which is no size.", name, text.substr(0, 40)));
  }
  if (value > limit) return model_error(fmt::format("{} = {} is over the limit of {}.", name, value, limit));
  return static_cast<std::uint32_t>(value);
}

// "5E-1"; from 3.1 on also "[5E-1,2E-1]" and "(...)".
Result<std::vector<float>> parse_base_score(std::string_view text) {
  const std::string_view whole = text.substr(0, 40);
  if (text.size() >= 2 &&
      ((text.front() == '[' && text.back() == ']') || (text.front() == '(' && text.back() == ')'))) {
    text = text.substr(1, text.size() - 2);
  }
  std::vector<float> out;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (at != end) {
    while (at != end && *at == ' ') ++at;
    const auto [stop, status] = std::from_chars(at, end, out.emplace_back());
    if (status != std::errc() || !std::isfinite(out.back())) {
      return model_error(fmt::format("base_score '{}' is no number.", whole));
    }
    at = stop;
    while (at != end && *at == ' ') ++at;
    if (at == end) return out;
    if (*at != ',') break;
    ++at;
    if (at == end) return out;  // "(0.5,)"
  }
  return model_error(fmt::format("base_score '{}' is no number.", whole));
}

// ---- checks that need the whole model -----------------------------------------------------------------------------

Result<void> check_objective(const XgboostModel& model) {
  const auto& known = xgboost_objectives();
  if (std::find(known.begin(), known.end(), model.objective) != known.end()) return {};
  const std::string near = nearest_name(model.objective, known);
  std::string names;
  for (const std::string_view name : known) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return make_error(Code::unsupported, "Unknown XGBoost objective '{}'{}. Supported are: {}.",
                    std::string_view(model.objective).substr(0, 60),
                    near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), names);
}

Result<void> read_sizes(RawXgboostModel& raw, const TreeReadLimits& limits) {
  XgboostModel& model = raw.model;
  JACKDAW_ASSIGN(model.num_feature, size_param(raw.learner_params, "num_feature", 0, limits.features_max));
  JACKDAW_ASSIGN(model.num_class, size_param(raw.learner_params, "num_class", 0, limits.outputs_max));
  JACKDAW_ASSIGN(model.num_target, size_param(raw.learner_params, "num_target", 1, limits.outputs_max));
  JACKDAW_ASSIGN(model.num_parallel_tree, size_param(raw.tree_params, "num_parallel_tree", 1, 1u << 30));
  model.num_target = std::max(model.num_target, 1u);
  model.num_parallel_tree = std::max(model.num_parallel_tree, 1u);
  model.n_groups = std::max(model.num_class, model.num_target);
  return {};
}

Result<void> check_base_score(RawXgboostModel& raw) {
  XgboostModel& model = raw.model;
  if (model.base_score.empty()) {
    JACKDAW_ASSIGN(model.base_score, parse_base_score(value_or(raw.learner_params, "base_score", "0.5")));
  }
  if (model.base_score.empty() || (model.base_score.size() != 1 && model.base_score.size() != model.n_groups)) {
    return model_error(
        fmt::format("base_score has {} values for {} outputs.", model.base_score.size(), model.n_groups));
  }
  if (!std::isfinite(model.base_score[0])) return model_error("base_score is not finite.");
  return {};
}

Result<void> check_linear(const XgboostModel& model) {
  const std::uint64_t expected = (std::uint64_t{model.num_feature} + 1) * model.n_groups;
  if (model.linear_weights.size() == expected) return {};
  return model_error(fmt::format("gblinear has {} weights; {} features and {} outputs need {}.",
                                 model.linear_weights.size(), model.num_feature, model.n_groups, expected));
}

Result<void> check_trees(RawXgboostModel& raw, const TreeReadLimits& limits) {
  XgboostModel& model = raw.model;
  const std::size_t count = raw.trees.size();
  JACKDAW_ASSIGN(const std::uint32_t declared,
                 size_param(raw.tree_params, "num_trees", static_cast<std::uint32_t>(count), 0xffffffffu));
  if (declared != count) return model_error(fmt::format("num_trees is {}, the file has {} trees.", declared, count));
  if (raw.tree_info.size() != count) {
    return model_error(fmt::format("tree_info has {} entries for {} trees.", raw.tree_info.size(), count));
  }
  model.trees.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    JACKDAW_ASSIGN(model.trees.emplace_back(),
                   check_xgboost_tree(std::move(raw.trees[i]), i, model.num_feature, limits));
    const XgboostTree& tree = model.trees.back();
    if (raw.tree_info[i] < 0 || static_cast<std::uint64_t>(raw.tree_info[i]) >= model.n_groups) {
      return model_error(
          fmt::format("tree_info[{}] = {}, the model has {} outputs.", i, raw.tree_info[i], model.n_groups));
    }
    if (tree.leaf_width != 1 && tree.leaf_width != model.n_groups) {
      return model_error(
          fmt::format("Leaves of tree {} hold {} values for {} outputs.", i, tree.leaf_width, model.n_groups));
    }
    model.tree_group.push_back(tree.leaf_width == 1 ? static_cast<std::uint32_t>(raw.tree_info[i]) : 0);
  }
  return {};
}

Result<void> check_tree_weights(XgboostModel& model) {
  if (model.booster == XgboostBooster::gbtree && model.tree_weight.empty()) return {};
  if (model.tree_weight.size() != model.trees.size()) {
    return model_error(
        fmt::format("weight_drop has {} entries for {} trees.", model.tree_weight.size(), model.trees.size()));
  }
  model.booster = XgboostBooster::dart;
  return {};
}

// Before 2.0 there is no iteration_indptr: a round has one forest per output, or one for all with vector leaves.
Result<void> place_iterations(RawXgboostModel& raw) {
  XgboostModel& model = raw.model;
  const std::size_t count = model.trees.size();
  if (raw.iteration_begin.empty()) {
    const bool vectors = count != 0 && model.trees[0].leaf_width != 1;
    const std::uint64_t step = std::uint64_t{model.num_parallel_tree} * (vectors ? 1 : model.n_groups);
    for (std::uint64_t at = 0; at < count; at += step) model.iteration_begin.push_back(static_cast<std::uint32_t>(at));
    model.iteration_begin.push_back(static_cast<std::uint32_t>(count));
    return {};
  }
  std::int64_t last = 0;
  for (const std::int64_t at : raw.iteration_begin) {
    if (at < last || static_cast<std::uint64_t>(at) > count) return model_error("iteration_indptr is not ascending.");
    last = at;
    model.iteration_begin.push_back(static_cast<std::uint32_t>(at));
  }
  if (model.iteration_begin.front() != 0 || model.iteration_begin.back() != count) {
    return model_error(fmt::format("iteration_indptr does not span the {} trees.", count));
  }
  return {};
}

Result<void> check_names(const XgboostModel& model) {
  const std::pair<std::string_view, std::size_t> lists[] = {{"feature_names", model.feature_names.size()},
                                                            {"feature_types", model.feature_types.size()},
                                                            {"cats.enc", model.categories.size()}};
  for (const auto& [name, size] : lists) {
    if (size != 0 && size != model.num_feature) {
      return model_error(fmt::format("{} has {} entries for {} features.", name, size, model.num_feature));
    }
  }
  return {};
}

void read_best_iteration(XgboostModel& model) {
  const std::string_view text = value_or(model.attributes, "best_iteration", "");
  std::uint32_t value = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && status == std::errc() && stop == text.data() + text.size()) model.best_iteration = value;
}

Result<RawXgboostModel> read_raw(Bytes file, const TreeReadLimits& limits) {
  const TreeFileKind kind = detect_tree_file(file);
  if (kind == TreeFileKind::xgboost_binary) return read_xgboost_binary(file);
  if (kind != TreeFileKind::xgboost_json && kind != TreeFileKind::xgboost_ubjson) {
    return model_error(kind == TreeFileKind::lightgbm_text
                           ? "This is a LightGBM text model, not an XGBoost one."
                           : "This is no XGBoost model: neither JSON, nor UBJSON, nor the legacy binary format.");
  }
  auto cursor = kind == TreeFileKind::xgboost_json ? json_cursor(as_text(file), limits.nesting_max)
                                                   : ubjson_cursor(file, limits.nesting_max);
  auto raw = read_xgboost_schema(*cursor);
  if (raw) raw->model.kind = kind;
  return raw;
}

bool is_json_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string_view value_or(const NamedValues& values, std::string_view name, std::string_view fallback) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return fallback;
}

std::string_view tree_file_kind_name(TreeFileKind kind) {
  switch (kind) {
    case TreeFileKind::xgboost_json:
      return "XGBoost JSON";
    case TreeFileKind::xgboost_ubjson:
      return "XGBoost UBJSON";
    case TreeFileKind::xgboost_binary:
      return "XGBoost legacy binary";
    case TreeFileKind::lightgbm_text:
      return "LightGBM text";
    case TreeFileKind::unknown:
      break;
  }
  return "unknown";
}

TreeFileKind detect_tree_file(Bytes file) {
  std::string_view text = as_text(file);
  if (text.starts_with("tree\n") || text.starts_with("tree\r\n")) return TreeFileKind::lightgbm_text;
  std::size_t at = 0;
  while (at < text.size() && is_json_space(text[at])) ++at;
  if (at < text.size() && text[at] == '{') {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next == '"' || next == '}' || is_json_space(next)) return TreeFileKind::xgboost_json;
    if (at == 0 && std::string_view("iUIlL").find(next) != std::string_view::npos) return TreeFileKind::xgboost_ubjson;
  }
  return looks_like_xgboost_binary(file) ? TreeFileKind::xgboost_binary : TreeFileKind::unknown;
}

const std::vector<std::string_view>& xgboost_objectives() {
  static const std::vector<std::string_view> names{
      "reg:squarederror",  "reg:linear",        "reg:squaredlogerror", "reg:logistic",   "reg:pseudohubererror",
      "reg:absoluteerror", "reg:quantileerror", "reg:gamma",           "reg:tweedie",    "binary:logistic",
      "binary:logitraw",   "binary:hinge",      "multi:softmax",       "multi:softprob", "count:poisson",
      "survival:cox",      "survival:aft",      "rank:pairwise",       "rank:ndcg",      "rank:map",
  };
  return names;
}

Result<XgboostModel> finish_xgboost(RawXgboostModel raw, const TreeReadLimits& limits) {
  JACKDAW_TRY(check_objective(raw.model));
  JACKDAW_TRY(read_sizes(raw, limits));
  JACKDAW_TRY(check_base_score(raw));
  if (raw.model.booster == XgboostBooster::gblinear) {
    JACKDAW_TRY(check_linear(raw.model));
  } else {
    JACKDAW_TRY(check_trees(raw, limits));
    JACKDAW_TRY(check_tree_weights(raw.model));
    JACKDAW_TRY(place_iterations(raw));
  }
  JACKDAW_TRY(check_names(raw.model));
  read_best_iteration(raw.model);
  return std::move(raw.model);
}

Result<XgboostModel> read_xgboost(Bytes file, const TreeReadLimits& limits) {
  JACKDAW_ASSIGN(RawXgboostModel raw, read_raw(file, limits));
  return finish_xgboost(std::move(raw), limits);
}

}  // namespace jackdaw::formats
