// OneHotEncoder. Read: categories_, handle_unknown, drop_idx_ (after grouping: _drop_idx_after_grouping since 1.2),
// _infrequent_enabled, _infrequent_indices, _default_to_infrequent_mappings (1.1+), sparse_output (sparse before 1.2),
// dtype. Files of 0.20 and 0.21 may be in the legacy n_values mode, which is refused.
#include <algorithm>

#include "src/predict/sklearn/categories.h"
#include "src/predict/sklearn/encoders.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

constexpr std::uint32_t no_column = 0xffffffffu;

// Where each category of one input column goes; no_column leaves the row's columns at zero.
struct ColumnCode {
  Categories categories;
  std::vector<std::uint32_t> target;  // per category, an output column
  std::uint32_t unknown_target = no_column;
};

class OneHotEncoder : public Transformer {
 public:
  OneHotEncoder(InputRule rule, std::vector<ColumnCode> columns, std::size_t width, bool refuse_unknown, bool sparse,
                DType dtype)
      : Transformer(std::move(rule)),
        columns_(std::move(columns)),
        width_(width),
        refuse_unknown_(refuse_unknown),
        sparse_(sparse),
        dtype_(dtype) {}

  Result<Frame> transform(const Frame& x) const override {
    const auto* matrix = std::get_if<Matrix>(&x);
    const Frame dense = matrix != nullptr && matrix->sparse ? Frame(to_dense(*matrix)) : Frame();
    const Frame& in = matrix != nullptr && matrix->sparse ? dense : x;
    JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(in, rule_));
    if (sparse_) return encode_sparse(views, frame_rows(in));
    return encode_dense(views, frame_rows(in));
  }

  double cost_ns(std::size_t rows) const override {
    return 150.0 + 60.0 * static_cast<double>(columns_.size()) * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = sizeof(*this);
    for (const ColumnCode& c : columns_) sum += c.categories.resident_bytes() + 4 * c.target.size();
    return sum;
  }

 private:
  // The output column of one cell; false when the category is unknown and refused.
  bool target_of(std::size_t c, const ColumnView& view, std::size_t r, std::uint32_t& target) const {
    const std::uint32_t index = columns_[c].categories.find(view, r);
    if (index == Categories::unknown) {
      target = columns_[c].unknown_target;
      return !refuse_unknown_;
    }
    target = columns_[c].target[index];
    return true;
  }

  // scikit-learn looks at one column after the other.
  Error first_unknown(const std::vector<ColumnView>& views) const {
    for (std::size_t c = 0; c < views.size(); ++c) {
      for (std::size_t r = 0; r < views[c].rows(); ++r) {
        if (columns_[c].categories.find(views[c], r) == Categories::unknown) {
          return unknown_categories(columns_[c].categories, views[c], c);
        }
      }
    }
    return make_error(Code::internal, "no unknown category was found again");
  }

  Result<Frame> encode_sparse(const std::vector<ColumnView>& views, std::size_t rows) const {
    Matrix out = Matrix::csr(width_, dtype_);
    std::uint32_t target = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < views.size(); ++c) {
        if (!target_of(c, views[c], r, target)) return first_unknown(views);
        if (target != no_column) out.push(target, 1.0);
      }
      out.end_row();
    }
    return Frame(std::move(out));
  }

  Result<Frame> encode_dense(const std::vector<ColumnView>& views, std::size_t rows) const {
    if (width_ != 0 && rows > (std::size_t{1} << 28) / width_) {
      return make_error(Code::too_large, "OneHotEncoder would make {} x {} numbers; send fewer rows", rows, width_);
    }
    Matrix out = Matrix::dense(rows, width_, dtype_);
    std::uint32_t target = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < views.size(); ++c) {
        if (!target_of(c, views[c], r, target)) return first_unknown(views);
        if (target != no_column) out.row(r)[target] = 1.0;
      }
    }
    return Frame(std::move(out));
  }

  std::vector<ColumnCode> columns_;
  std::size_t width_;
  bool refuse_unknown_;
  bool sparse_;
  DType dtype_;
};

// The dropped category of each column after grouping, or nothing.
Result<std::vector<std::optional<std::uint32_t>>> read_drops(const BuildContext& c, std::size_t columns) {
  std::vector<std::optional<std::uint32_t>> out(columns);
  const std::string_view name =
      c.attribute("_drop_idx_after_grouping") != formats::no_node ? "_drop_idx_after_grouping" : "drop_idx_";
  if (!c.has(name)) return out;
  JACKDAW_ASSIGN(const std::vector<double> values, c.doubles(name));  // None reads as NaN
  if (values.size() != columns) return c.error(Code::parse_error, fmt::format("'{}' has the wrong length", name));
  for (std::size_t i = 0; i < columns; ++i) {
    if (values[i] >= 0 && values[i] < 4e9) out[i] = static_cast<std::uint32_t>(values[i]);
  }
  return out;
}

// Targets of one column, its first output column being `offset`; returns the number of output columns.
std::size_t lay_out(ColumnCode& code, const Infrequent& infrequent, std::optional<std::uint32_t> drop,
                    bool unknown_is_infrequent, std::size_t offset) {
  const std::size_t count = code.categories.size();
  const bool grouped = !infrequent.mapping.empty();
  const auto place = [&](std::uint32_t group) {
    if (drop && group == *drop) return no_column;
    return static_cast<std::uint32_t>(offset + group - (drop && group > *drop ? 1 : 0));
  };
  for (std::uint32_t i = 0; i < count; ++i) code.target.push_back(place(grouped ? infrequent.mapping[i] : i));
  if (unknown_is_infrequent && grouped) code.unknown_target = place(infrequent.mapping[infrequent.indices[0]]);
  std::size_t width = count;
  if (grouped) width -= infrequent.indices.size() - 1;
  return drop && *drop < width ? width - 1 : width;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_one_hot_encoder(const BuildContext& c) {
  if (c.flag_or("_legacy_mode", false)) {
    return c.error(Code::unsupported,
                   "it was fitted in the legacy mode of scikit-learn 0.20; refit it with categories='auto'");
  }
  JACKDAW_ASSIGN(std::vector<Categories> categories, read_categories(c));
  std::vector<std::size_t> counts;
  for (const Categories& k : categories) counts.push_back(k.size());
  JACKDAW_ASSIGN(const std::vector<Infrequent> infrequent, read_infrequent(c, counts));
  JACKDAW_ASSIGN(const auto drops, read_drops(c, categories.size()));
  const std::string unknown = c.text_or("handle_unknown", "error");
  const bool to_infrequent = unknown == "infrequent_if_exist" || unknown == "warn";
  std::vector<ColumnCode> columns;
  std::size_t width = 0;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    ColumnCode code;
    code.categories = std::move(categories[i]);
    width += lay_out(code, infrequent[i], drops[i], to_infrequent, width);
    const auto outside = [&](std::uint32_t t) { return t != no_column && t >= width; };
    if (std::any_of(code.target.begin(), code.target.end(), outside) || outside(code.unknown_target)) {
      return c.error(Code::parse_error, "the infrequent categories do not fit their column");
    }
    columns.push_back(std::move(code));
  }
  if (width >= no_column) return c.error(Code::too_large, "more than 2^32 output columns");
  InputRule rule = InputRule::of(c);
  JACKDAW_TRY(fit_width(c, rule, columns.size()));
  const bool sparse = c.flag_or("sparse_output", c.flag_or("sparse", true));
  return std::unique_ptr<Estimator>(new OneHotEncoder(std::move(rule), std::move(columns), width, unknown == "error",
                                                      sparse, dtype_attribute(c, "dtype", DType::fp64)));
}

}  // namespace jackdaw::predict
