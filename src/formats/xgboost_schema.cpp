// The schema that XGBoost's JSON and UBJSON share (xgboost doc/model.schema; src/learner.cc, src/gbm/gbtree.cc,
// src/tree/tree_model.cc say the rest). Unknown keys are skipped: newer versions add some.
#include <algorithm>
#include <limits>

#include "src/formats/xgboost_parts.h"

namespace jackdaw::formats {
namespace {

// The depth of nested parameter objects is bounded by the cursor.
Result<void> read_flat(ValueCursor& cursor, const std::string& prefix, NamedValues& out) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    std::string name = prefix + std::string(key);
    switch (cursor.kind()) {
      case ValueKind::object:
        return read_flat(cursor, name + ".", out);
      case ValueKind::array:
        return cursor.skip();
      default:
        break;
    }
    JACKDAW_ASSIGN(std::string value, cursor.scalar());
    out.emplace_back(std::move(name), std::move(value));
    return {};
  });
}

Result<void> read_version(ValueCursor& cursor, XgboostModel& model) {
  JACKDAW_ASSIGN(const auto numbers, cursor.integers());
  if (numbers.size() != 3) return cursor.error(Code::parse_error, "`version` must have three numbers.");
  for (std::size_t i = 0; i < 3; ++i) {
    if (numbers[i] < 0 || numbers[i] > 1'000'000) return cursor.error(Code::parse_error, "`version` makes no sense.");
    model.version[i] = static_cast<std::int32_t>(numbers[i]);
  }
  return {};
}

template <typename To>
Result<std::vector<To>> read_narrow(ValueCursor& cursor, std::string_view what) {
  JACKDAW_ASSIGN(const auto wide, cursor.integers());
  std::vector<To> out(wide.size());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] < std::numeric_limits<To>::min() || wide[i] > std::numeric_limits<To>::max()) {
      return cursor.error(Code::parse_error, fmt::format("{}[{}] = {} is out of range.", what, i, wide[i]));
    }
    out[i] = static_cast<To>(wide[i]);
  }
  return out;
}

Result<void> read_tree_params(ValueCursor& cursor, RawXgboostTree& raw) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    if (key != "size_leaf_vector") return cursor.skip();
    JACKDAW_ASSIGN(const std::string value, cursor.scalar());
    raw.size_leaf_vector = 0;
    for (const char c : value) {
      if (c < '0' || c > '9' || raw.size_leaf_vector > 100'000'000) {
        return cursor.error(Code::parse_error, "size_leaf_vector is not a size.");
      }
      raw.size_leaf_vector = raw.size_leaf_vector * 10 + static_cast<std::uint64_t>(c - '0');
    }
    raw.size_leaf_vector = std::max<std::uint64_t>(raw.size_leaf_vector, 1);
    return {};
  });
}

Result<void> read_tree_member(ValueCursor& cursor, std::string_view key, RawXgboostTree& raw) {
  XgboostTree& tree = raw.tree;
  if (key == "left_children") {
    JACKDAW_ASSIGN(tree.left, read_narrow<std::int32_t>(cursor, key));
  } else if (key == "right_children") {
    JACKDAW_ASSIGN(tree.right, read_narrow<std::int32_t>(cursor, key));
  } else if (key == "split_indices") {
    JACKDAW_ASSIGN(tree.feature, read_narrow<std::uint32_t>(cursor, key));
  } else if (key == "split_conditions") {
    JACKDAW_ASSIGN(tree.value, cursor.floats());
  } else if (key == "default_left") {
    JACKDAW_ASSIGN(tree.default_left, read_narrow<std::uint8_t>(cursor, key));
  } else if (key == "sum_hessian") {
    JACKDAW_ASSIGN(tree.cover, cursor.floats());
  } else if (key == "split_type") {
    JACKDAW_ASSIGN(tree.is_categorical, read_narrow<std::uint8_t>(cursor, key));
  } else if (key == "categories") {
    JACKDAW_ASSIGN(tree.categories, read_narrow<std::int32_t>(cursor, key));
  } else if (key == "categories_nodes") {
    JACKDAW_ASSIGN(raw.category_nodes, cursor.integers());
  } else if (key == "categories_segments") {
    JACKDAW_ASSIGN(raw.category_segments, cursor.integers());
  } else if (key == "categories_sizes") {
    JACKDAW_ASSIGN(raw.category_sizes, cursor.integers());
  } else if (key == "leaf_weights") {
    JACKDAW_ASSIGN(raw.leaf_weights, cursor.floats());
  } else if (key == "base_weights") {
    JACKDAW_ASSIGN(raw.base_weights, cursor.floats());
  } else if (key == "tree_param") {
    return read_tree_params(cursor, raw);
  } else {
    return cursor.skip();
  }
  return {};
}

Result<void> read_tree(ValueCursor& cursor, RawXgboostModel& raw) {
  const std::size_t index = raw.trees.size();
  RawXgboostTree& tree = raw.trees.emplace_back();
  auto done = cursor.object([&](std::string_view key) { return read_tree_member(cursor, key, tree); });
  if (!done) return std::move(done).error().at(fmt::format("tree {}", index));
  // Said before the next one: empty trees would cost far more memory than bytes.
  const XgboostTree& arrays = tree.tree;
  if (arrays.left.empty() || arrays.right.empty() || arrays.feature.empty() || arrays.value.empty()) {
    return Error{Code::parse_error, "The tree has no nodes.", fmt::format("tree {}", index)};
  }
  if (tree.size_leaf_vector <= 1 || !tree.leaf_weights.empty()) tree.base_weights = {};
  return {};
}

// ---- category names, 3.1 and later: cats{enc[{offsets, values} | {type, values}]} -----------------------------------

// Arrow's layout of texts: text i is bytes [offsets[i], offsets[i + 1]) of `values`.
Result<std::vector<std::string>> split_texts(const ValueCursor& cursor, const std::vector<std::int64_t>& offsets,
                                             const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    const std::int64_t begin = offsets[i], end = offsets[i + 1];
    if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > values.size()) {
      return cursor.error(Code::parse_error, "Offsets of category names leave their bytes.");
    }
    std::string& text = texts.emplace_back();
    for (std::int64_t at = begin; at < end; ++at) {
      const double byte = values[static_cast<std::size_t>(at)];
      if (!(byte >= -128.0 && byte <= 255.0)) return cursor.error(Code::parse_error, "A category name holds no bytes.");
      text.push_back(static_cast<char>(static_cast<int>(byte)));
    }
  }
  return texts;
}

Result<void> read_categories(ValueCursor& cursor, XgboostModel& model) {
  std::vector<std::int64_t> offsets;
  std::vector<double> values;
  bool texts = false, has_values = false;
  JACKDAW_TRY(cursor.object([&](std::string_view key) -> Result<void> {
    if (key == "offsets") {
      texts = true;
      JACKDAW_ASSIGN(offsets, cursor.integers());
    } else if (key == "values") {
      has_values = true;
      JACKDAW_ASSIGN(values, cursor.doubles());
    } else {
      return cursor.skip();
    }
    return {};
  }));
  if (!has_values) return cursor.error(Code::parse_error, "Categories without `values`.");
  XgboostCategories& out = model.categories.emplace_back();
  if (!texts) {
    out.numbers = std::move(values);
    return {};
  }
  JACKDAW_ASSIGN(out.texts, split_texts(cursor, offsets, values));
  return {};
}

Result<void> read_cats(ValueCursor& cursor, XgboostModel& model) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    if (key != "enc") return cursor.skip();
    return cursor.array([&] { return read_categories(cursor, model); });
  });
}

// ---- boosters -----------------------------------------------------------------------------------------------------

Result<void> read_booster_model(ValueCursor& cursor, RawXgboostModel& raw) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    if (key == "gbtree_model_param") return read_flat(cursor, "", raw.tree_params);
    if (key == "trees") return cursor.array([&] { return read_tree(cursor, raw); });
    if (key == "cats") return read_cats(cursor, raw.model);
    if (key == "tree_info") {
      JACKDAW_ASSIGN(raw.tree_info, cursor.integers());
    } else if (key == "iteration_indptr") {
      JACKDAW_ASSIGN(raw.iteration_begin, cursor.integers());
    } else if (key == "weight_drop") {
      JACKDAW_ASSIGN(raw.model.tree_weight, cursor.floats());
    } else if (key == "weights") {
      JACKDAW_ASSIGN(raw.model.linear_weights, cursor.floats());
    } else {
      return cursor.skip();
    }
    return {};
  });
}

Result<void> read_booster_name(ValueCursor& cursor, XgboostModel& model) {
  JACKDAW_ASSIGN(const std::string name, cursor.scalar());
  if (name == "dart") {
    model.booster = XgboostBooster::dart;
  } else if (name == "gblinear") {
    model.booster = XgboostBooster::gblinear;
  } else if (name != "gbtree") {
    return cursor.error(Code::unsupported,
                        fmt::format("Unknown booster '{}'; known are gbtree, dart and gblinear.", name));
  }
  return {};
}

// dart wraps a gbtree of its own: gradient_booster{name: "dart", gbtree{model, name}, weight_drop[]}. Files of 3.3 keep
// weight_drop in `model`.
Result<void> read_booster(ValueCursor& cursor, RawXgboostModel& raw) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    if (key == "name") return read_booster_name(cursor, raw.model);
    if (key == "model") return read_booster_model(cursor, raw);
    if (key == "weight_drop") {
      JACKDAW_ASSIGN(raw.model.tree_weight, cursor.floats());
      return {};
    }
    if (key != "gbtree") return cursor.skip();
    return cursor.object([&](std::string_view inner) -> Result<void> {
      return inner == "model" ? read_booster_model(cursor, raw) : cursor.skip();
    });
  });
}

Result<void> read_objective(ValueCursor& cursor, XgboostModel& model) {
  NamedValues flat;
  JACKDAW_TRY(read_flat(cursor, "", flat));
  for (auto& [name, value] : flat) {
    if (name == "name") {
      model.objective = value;
    } else {
      model.objective_params.emplace_back(name, value);
    }
  }
  return {};
}

Result<void> read_learner(ValueCursor& cursor, RawXgboostModel& raw) {
  return cursor.object([&](std::string_view key) -> Result<void> {
    if (key == "learner_model_param") return read_flat(cursor, "", raw.learner_params);
    if (key == "gradient_booster") return read_booster(cursor, raw);
    if (key == "objective") return read_objective(cursor, raw.model);
    if (key == "attributes") return read_flat(cursor, "", raw.model.attributes);
    if (key == "feature_names") {
      JACKDAW_ASSIGN(raw.model.feature_names, cursor.texts());
    } else if (key == "feature_types") {
      JACKDAW_ASSIGN(raw.model.feature_types, cursor.texts());
    } else {
      return cursor.skip();
    }
    return {};
  });
}

}  // namespace

Result<RawXgboostModel> read_xgboost_schema(ValueCursor& cursor) {
  RawXgboostModel raw;
  bool has_learner = false;
  JACKDAW_TRY(cursor.object([&](std::string_view key) -> Result<void> {
    if (key == "version") return read_version(cursor, raw.model);
    if (key != "learner") return cursor.skip();
    has_learner = true;
    return read_learner(cursor, raw);
  }));
  JACKDAW_TRY(cursor.expect_end());
  if (!has_learner) {
    return Error{Code::parse_error, "The document has no `learner`; it is not a model saved by XGBoost.", {}};
  }
  return raw;
}

}  // namespace jackdaw::formats
