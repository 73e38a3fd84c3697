// OrdinalEncoder (categories_, handle_unknown, unknown_value, _missing_indices and encoded_missing_value since 1.1,
// infrequent grouping since 1.3), TargetEncoder (categories_, encodings_, target_mean_, target_type_, classes_), and
// the rows of all encoders.
#include "src/predict/sklearn/encoders.h"

#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/categories.h"
#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

namespace {

// None for a column without infrequent categories.
Result<std::vector<std::uint32_t>> index_array(const BuildContext& c, NodeId node, std::string_view name,
                                               std::size_t limit) {
  std::vector<std::uint32_t> out;
  if (c.graph.kind(node) == NodeKind::none) return out;
  if (!formats::is_ndarray(c.graph, node)) return c.error(Code::parse_error, fmt::format("'{}' holds no array", name));
  JACKDAW_ASSIGN(const formats::NdArray array, formats::to_ndarray(c.graph, node));
  JACKDAW_ASSIGN(const std::vector<std::int64_t> values, formats::to_int64s(c.graph, array));
  for (std::int64_t v : values) {
    if (v < 0 || v >= static_cast<std::int64_t>(limit)) {
      return c.error(Code::parse_error, fmt::format("'{}' is out of range", name));
    }
    out.push_back(static_cast<std::uint32_t>(v));
  }
  return out;
}

}  // namespace

Result<std::vector<Infrequent>> read_infrequent(const BuildContext& c, std::span<const std::size_t> counts) {
  std::vector<Infrequent> out(counts.size());
  if (!c.flag_or("_infrequent_enabled", false)) return out;
  JACKDAW_ASSIGN(const std::vector<NodeId> indices, object_list(c, "_infrequent_indices"));
  JACKDAW_ASSIGN(const std::vector<NodeId> mappings, object_list(c, "_default_to_infrequent_mappings"));
  if (indices.size() != counts.size() || mappings.size() != counts.size()) {
    return c.error(Code::parse_error, "the infrequent categories do not fit the columns");
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    JACKDAW_ASSIGN(out[i].indices, index_array(c, indices[i], "_infrequent_indices", counts[i]));
    JACKDAW_ASSIGN(out[i].mapping, index_array(c, mappings[i], "_default_to_infrequent_mappings", counts[i]));
    if (out[i].indices.empty() != out[i].mapping.empty() || out[i].indices.size() > counts[i] ||
        (!out[i].mapping.empty() && out[i].mapping.size() != counts[i])) {
      return c.error(Code::parse_error, "the infrequent categories do not fit their column");
    }
  }
  return out;
}

namespace {

struct OrdinalColumn {
  Categories categories;
  std::vector<double> code;  // per category
};

class OrdinalEncoder : public Transformer {
 public:
  OrdinalEncoder(InputRule rule, std::vector<OrdinalColumn> columns, std::optional<double> unknown, DType dtype)
      : Transformer(std::move(rule)), columns_(std::move(columns)), unknown_(unknown), dtype_(dtype) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(x, rule_));
    Matrix out = Matrix::dense(frame_rows(x), views.size(), dtype_);
    for (std::size_t c = 0; c < views.size(); ++c) {
      for (std::size_t r = 0; r < out.rows; ++r) {
        const std::uint32_t index = columns_[c].categories.find(views[c], r);
        if (index != Categories::unknown) {
          out.row(r)[c] = columns_[c].code[index];
        } else if (unknown_) {
          out.row(r)[c] = *unknown_;
        } else {
          return unknown_categories(columns_[c].categories, views[c], c);
        }
      }
    }
    return Frame(std::move(out));
  }

  double cost_ns(std::size_t rows) const override {
    return 120.0 + 50.0 * static_cast<double>(columns_.size()) * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = sizeof(*this);
    for (const OrdinalColumn& c : columns_) sum += c.categories.resident_bytes() + 8 * c.code.size();
    return sum;
  }

 private:
  std::vector<OrdinalColumn> columns_;
  std::optional<double> unknown_;  // nullopt: refused
  DType dtype_;
};

// Columns of _missing_indices (a dict from column to category index).
Result<std::vector<std::optional<std::uint32_t>>> read_missing(const BuildContext& c, std::size_t columns) {
  std::vector<std::optional<std::uint32_t>> out(columns);
  const NodeId node = c.attribute("_missing_indices");
  if (node == formats::no_node || c.graph.kind(node) != NodeKind::dict) return out;
  const auto items = c.graph.items(node);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto column = formats::to_number(c.graph, items[i]);
    const auto index = formats::to_number(c.graph, items[i + 1]);
    if (!column || !index || !(*column >= 0 && *column < static_cast<double>(columns)) ||
        !(*index >= 0 && *index < 4e9)) {
      return c.error(Code::parse_error, "'_missing_indices' is out of range");
    }
    out[static_cast<std::size_t>(*column)] = static_cast<std::uint32_t>(*index);
  }
  return out;
}

Result<std::unique_ptr<Estimator>> ordinal_encoder(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<Categories> categories, read_categories(c));
  std::vector<std::size_t> counts;
  for (const Categories& k : categories) counts.push_back(k.size());
  JACKDAW_ASSIGN(const std::vector<Infrequent> infrequent, read_infrequent(c, counts));
  JACKDAW_ASSIGN(const auto missing, read_missing(c, categories.size()));
  const double missing_code = c.number_or("encoded_missing_value", NAN);
  std::vector<OrdinalColumn> columns;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    OrdinalColumn column;
    for (std::uint32_t k = 0; k < counts[i]; ++k) {
      const bool is_missing = missing[i] && *missing[i] == k;
      column.code.push_back(is_missing                      ? missing_code
                            : infrequent[i].mapping.empty() ? static_cast<double>(k)
                                                            : static_cast<double>(infrequent[i].mapping[k]));
    }
    column.categories = std::move(categories[i]);
    columns.push_back(std::move(column));
  }
  std::optional<double> unknown;
  if (c.text_or("handle_unknown", "error") == "use_encoded_value") unknown = c.number_or("unknown_value", NAN);
  InputRule rule = InputRule::of(c);
  JACKDAW_TRY(fit_width(c, rule, columns.size()));
  return std::unique_ptr<Estimator>(
      new OrdinalEncoder(std::move(rule), std::move(columns), unknown, dtype_attribute(c, "dtype", DType::fp64)));
}

// ---- target encoding ----------------------------------------------------------------------------------------------

class TargetEncoder : public Transformer {
 public:
  // encodings[f * per_feature + k] has one value per category of feature f.
  TargetEncoder(InputRule rule, std::vector<Categories> categories, std::vector<std::vector<double>> encodings,
                std::vector<double> means)
      : Transformer(std::move(rule)),
        categories_(std::move(categories)),
        encodings_(std::move(encodings)),
        means_(std::move(means)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(x, rule_));
    Matrix out = Matrix::dense(frame_rows(x), encodings_.size(), DType::fp64);
    const std::size_t k = means_.size();
    for (std::size_t f = 0; f < views.size(); ++f) {
      for (std::size_t r = 0; r < out.rows; ++r) {
        const std::uint32_t index = categories_[f].find(views[f], r);
        for (std::size_t i = 0; i < k; ++i) {
          out.row(r)[f * k + i] = index == Categories::unknown ? means_[i] : encodings_[f * k + i][index];
        }
      }
    }
    return Frame(std::move(out));
  }

 private:
  std::vector<Categories> categories_;
  std::vector<std::vector<double>> encodings_;
  std::vector<double> means_;
};

Result<std::unique_ptr<Estimator>> target_encoder(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<Categories> categories, read_categories(c));
  JACKDAW_ASSIGN(std::vector<double> means, c.doubles("target_mean_"));
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(c, "encodings_"));
  if (means.empty() || nodes.size() != categories.size() * means.size()) {
    return c.error(Code::parse_error, "'encodings_' does not fit the categories");
  }
  std::vector<std::vector<double>> encodings;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    JACKDAW_ASSIGN(Matrix m, matrix_at(c, nodes[i], "encodings_"));
    if (m.values.size() != categories[i / means.size()].size()) {
      return c.error(Code::parse_error, "'encodings_' does not fit the categories");
    }
    encodings.push_back(std::move(m.values));
  }
  InputRule rule = InputRule::of(c);
  JACKDAW_TRY(fit_width(c, rule, categories.size()));
  return std::unique_ptr<Estimator>(
      new TargetEncoder(std::move(rule), std::move(categories), std::move(encodings), std::move(means)));
}

constexpr ClassRow rows[] = {
    {"sklearn.preprocessing.OneHotEncoder", build_one_hot_encoder},
    {"sklearn.preprocessing.OrdinalEncoder", ordinal_encoder},
    {"sklearn.preprocessing.TargetEncoder", target_encoder},
    {"sklearn.preprocessing.LabelEncoder", build_label_encoder},
    {"sklearn.preprocessing.LabelBinarizer", build_label_binarizer},
};

}  // namespace

std::span<const ClassRow> encoder_rows() {
  return rows;
}

}  // namespace jackdaw::predict
