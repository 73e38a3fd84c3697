// LabelEncoder (classes_) and LabelBinarizer (classes_, neg_label, pos_label, sparse_output): their input is a list of
// labels, not rows.
#include "src/predict/sklearn/categories.h"
#include "src/predict/sklearn/encoders.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

// The labels, one per row, whatever frame they came in.
Result<ColumnView> label_column(const Frame& x) {
  if (frame_cols(x) != 1) {
    return make_error(Code::invalid_argument, "y should be a 1d array, got an array with {} columns instead.",
                      frame_cols(x));
  }
  if (const auto* m = std::get_if<Matrix>(&x)) {
    if (m->sparse) return make_error(Code::invalid_argument, "y should be a 1d array, got a sparse matrix instead.");
    return ColumnView(*m, 0);
  }
  if (const auto* frame = std::get_if<DataFrame>(&x)) return ColumnView(frame->columns[0]);
  return ColumnView(std::get<Texts>(x));
}

class LabelEncoder : public Transformer {
 public:
  LabelEncoder(InputRule rule, Categories classes) : Transformer(std::move(rule)), classes_(std::move(classes)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const ColumnView labels, label_column(x));
    Matrix out = Matrix::dense(labels.rows(), 1, DType::int64);
    for (std::size_t r = 0; r < out.rows; ++r) {
      const std::uint32_t index = classes_.find(labels, r);
      if (index == Categories::unknown) return unseen(labels, r);
      out.values[r] = index;
    }
    return Frame(std::move(out));
  }
  Result<Output> transform_output(const Frame& x) const override {
    JACKDAW_ASSIGN(const Frame out, transform(x));
    return vector_output(DType::int64, std::get<Matrix>(out).values);
  }

 private:
  static Error unseen(const ColumnView& labels, std::size_t r) {
    const std::string shown =
        labels.is_text() ? fmt::format("'{}'", labels.text(r)) : fmt::format("{}", labels.number(r));
    return make_error(Code::invalid_argument, "y contains previously unseen labels: [{}]", shown);
  }
  Categories classes_;
};

class LabelBinarizer : public Transformer {
 public:
  LabelBinarizer(InputRule rule, Categories classes, double low, double high, bool sparse)
      : Transformer(std::move(rule)), classes_(std::move(classes)), low_(low), high_(high), sparse_(sparse) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const ColumnView labels, label_column(x));
    const bool binary = classes_.size() <= 2;
    Matrix out = Matrix::dense(labels.rows(), binary ? 1 : classes_.size(), DType::int64);
    for (double& v : out.values) v = low_;
    for (std::size_t r = 0; r < out.rows; ++r) {
      const std::uint32_t index = classes_.find(labels, r);
      if (index == Categories::unknown) continue;
      if (!binary) {
        out.row(r)[index] = high_;
      } else if (index == 1) {
        out.row(r)[0] = high_;
      }
    }
    if (sparse_) return Frame(to_sparse(out));
    return Frame(std::move(out));
  }

 private:
  Categories classes_;
  double low_;
  double high_;
  bool sparse_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_label_encoder(const BuildContext& c) {
  JACKDAW_ASSIGN(Categories classes, Categories::read(c, c.attribute("classes_"), "classes_"));
  InputRule rule = InputRule::of(c);
  return std::unique_ptr<Estimator>(new LabelEncoder(std::move(rule), std::move(classes)));
}

Result<std::unique_ptr<Estimator>> build_label_binarizer(const BuildContext& c) {
  if (c.text_or("y_type_", "").starts_with("multilabel")) {
    return c.error(Code::unsupported, "it was fitted on a multilabel indicator, which needs no binarizer");
  }
  JACKDAW_ASSIGN(Categories classes, Categories::read(c, c.attribute("classes_"), "classes_"));
  if (classes.size() == 0) return c.error(Code::parse_error, "'classes_' is empty");
  return std::unique_ptr<Estimator>(new LabelBinarizer(InputRule::of(c), std::move(classes),
                                                       c.number_or("neg_label", 0), c.number_or("pos_label", 1),
                                                       c.flag_or("sparse_output", false)));
}

}  // namespace jackdaw::predict
