// sklearn.multiclass: OneVsRestClassifier, OneVsOneClassifier, OutputCodeClassifier and the _ConstantPredictor inside.
//
// Read: estimators_ (two-class members), classes_ or label_binarizer_ (classes_, y_type_), code_book_, y_.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

using formats::no_node;

namespace {

// One column of binary_scores per member.
Result<Matrix> score_columns(const Members& members, const Frame& x) {
  Matrix out = Matrix::dense(frame_rows(x), members.size(), DType::fp64);
  for (std::size_t i = 0; i < members.size(); ++i) {
    JACKDAW_ASSIGN(const std::vector<double> scores, binary_scores(members[i], x, out.rows));
    for (std::size_t r = 0; r < out.rows; ++r) out.row(r)[i] = scores[r];
  }
  return out;
}

class MemberClassifier : public FittedEstimator {
 public:
  MemberClassifier(Signature signature, Members members)
      : FittedEstimator(std::move(signature)), members_(std::move(members)) {}
  bool takes_texts() const override { return members_.front().takes_texts(); }
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 protected:
  Members members_;
};

// ---- OneVsRest ----------------------------------------------------------------------------------------------------

class OneVsRest final : public MemberClassifier {
 public:
  OneVsRest(Signature signature, Members members, bool multilabel, bool last_wins)
      : MemberClassifier(std::move(signature), std::move(members)), multilabel_(multilabel), last_wins_(last_wins) {}
  bool supports(Method method) const override {
    const bool optional = method == Method::predict_proba || method == Method::decision_function;
    return method == Method::predict || (optional && members_.support(method));
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    if (method == Method::predict_proba) return probabilities(x);
    if (method == Method::decision_function) return decisions(x);
    JACKDAW_ASSIGN(const Matrix scores, score_columns(members_, x));
    return labels(scores);
  }

 private:
  Output labels(const Matrix& scores) const;
  Result<Output> probabilities(const Frame& x) const;
  Result<Output> decisions(const Frame& x) const;

  bool multilabel_;
  bool last_wins_;  // of equal scores, until 1.5
};

Output OneVsRest::labels(const Matrix& scores) const {
  const double threshold = binary_threshold(members_.front());
  if (multilabel_) {
    Matrix out = Matrix::dense(scores.rows, scores.cols, DType::int64);
    for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] = scores.values[i] > threshold;
    return matrix_output(out);
  }
  std::vector<std::uint32_t> picks(scores.rows, 0);
  for (std::size_t r = 0; r < scores.rows; ++r) {
    const double* row = scores.row(r);
    if (scores.cols == 1) {
      picks[r] = row[0] > threshold;
      continue;
    }
    for (std::size_t c = 1; c < scores.cols; ++c) {
      if (row[c] > row[picks[r]] || (last_wins_ && row[c] == row[picks[r]])) picks[r] = static_cast<std::uint32_t>(c);
    }
  }
  return one_array(label_tensor(classes()[0], picks));
}

Result<Output> OneVsRest::probabilities(const Frame& x) const {
  const std::size_t rows = frame_rows(x);
  Matrix out = Matrix::dense(rows, std::max<std::size_t>(members_.size(), multilabel_ ? 1 : 2), DType::fp64);
  const bool single = members_.size() == 1;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    JACKDAW_ASSIGN(const Matrix p, member_numbers(members_[i], Method::predict_proba, x, rows));
    if (p.cols != 2)
      return make_error(Code::unsupported, "a member of OneVsRest answers with {} probabilities", p.cols);
    for (std::size_t r = 0; r < rows; ++r) out.row(r)[single && out.cols == 2 ? 1 : i] = p.row(r)[1];
  }
  for (std::size_t r = 0; r < rows; ++r) {
    double* row = out.row(r);
    if (single && out.cols == 2) row[0] = 1.0 - row[1];
    double sum = 0.0;
    for (std::size_t c = 0; c < out.cols; ++c) sum += row[c];
    for (std::size_t c = 0; !multilabel_ && c < out.cols; ++c)
      row[c] = sum != 0.0 || last_wins_ ? row[c] / sum : row[c];
  }
  return matrix_output(out);
}

Result<Output> OneVsRest::decisions(const Frame& x) const {
  if (members_.size() == 1) return members_.front().run(Method::decision_function, x);
  JACKDAW_ASSIGN(const Matrix scores, score_columns(members_, x));
  return matrix_output(scores);
}

// ---- OneVsOne -----------------------------------------------------------------------------------------------------

class OneVsOne final : public MemberClassifier {
 public:
  using MemberClassifier::MemberClassifier;
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const Matrix scores, scores_of(x));
    if (classes()[0].size() > 2) {
      if (method == Method::decision_function) return matrix_output(scores);
      return one_array(label_tensor(classes()[0], row_argmax(scores)));
    }
    std::vector<double> second(scores.rows);
    std::vector<std::uint32_t> picks(scores.rows);
    for (std::size_t r = 0; r < scores.rows; ++r) {
      second[r] = scores.row(r)[1];
      picks[r] = second[r] > binary_threshold(members_.front());
    }
    if (method == Method::decision_function) return vector_output(DType::fp64, second);
    return one_array(label_tensor(classes()[0], picks));
  }

 private:
  Result<Matrix> scores_of(const Frame& x) const {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    const Frame rows(*m);
    Matrix predictions = Matrix::dense(m->rows, members_.size(), DType::fp64);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      JACKDAW_ASSIGN(const Matrix p, member_numbers(members_[i], Method::predict, rows, m->rows));
      for (std::size_t r = 0; r < m->rows; ++r) predictions.row(r)[i] = p.values[r];
    }
    JACKDAW_ASSIGN(const Matrix confidences, score_columns(members_, rows));
    return pair_scores(predictions, confidences, classes()[0].size());
  }
};

// ---- OutputCode ---------------------------------------------------------------------------------------------------

class OutputCode final : public MemberClassifier {
 public:
  OutputCode(Signature signature, Members members, Matrix code_book)
      : MemberClassifier(std::move(signature), std::move(members)), code_book_(std::move(code_book)) {}
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const Matrix scores, score_columns(members_, x));
    Matrix nearness = Matrix::dense(scores.rows, code_book_.rows, DType::fp64);
    for (std::size_t r = 0; r < scores.rows; ++r) {
      for (std::size_t k = 0; k < code_book_.rows; ++k) {
        for (std::size_t c = 0; c < scores.cols; ++c) {
          const double d = scores.row(r)[c] - code_book_.row(k)[c];
          nearness.row(r)[k] -= d * d;
        }
      }
    }
    return one_array(label_tensor(classes()[0], row_argmax(nearness)));
  }

 private:
  Matrix code_book_;
};

// ---- _ConstantPredictor -------------------------------------------------------------------------------------------

// Stands in for a label that every training row had, or none.
class ConstantPredictor final : public FittedEstimator {
 public:
  ConstantPredictor(Signature signature, double y, DType dtype)
      : FittedEstimator(std::move(signature)), y_(y), dtype_(dtype) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function || method == Method::predict_proba;
  }
  bool is_classifier() const override { return true; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    const std::size_t rows = frame_rows(x);
    if (method != Method::predict_proba) return vector_output(dtype_, std::vector<double>(rows, y_));
    Matrix out = Matrix::dense(rows, 2, DType::fp64);
    for (std::size_t r = 0; r < rows; ++r) {
      out.row(r)[0] = 1.0 - y_;
      out.row(r)[1] = y_;
    }
    return matrix_output(out);
  }
  double cost_ns(std::size_t rows) const override { return static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this); }

 private:
  double y_;
  DType dtype_;
};

Error wrong_count(const BuildContext& context, std::size_t members, std::size_t classes) {
  return context.error(Code::parse_error, fmt::format("{} estimators for {} classes", members, classes));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_one_vs_rest(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  const BuildContext binarizer = context.child(context.attribute("label_binarizer_"), "label_binarizer_");
  if (binarizer.node == no_node) return context.error(Code::parse_error, "the attribute 'label_binarizer_' is missing");
  JACKDAW_ASSIGN(Labels labels, binarizer.labels("classes_"));
  const bool multilabel = binarizer.text_or("y_type_", "").starts_with("multilabel");
  const std::size_t wanted = labels.size() == 2 && !multilabel ? 1 : labels.size();
  if (members.size() != wanted) return wrong_count(context, members.size(), labels.size());
  Signature signature = member_signature(context, members);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(
      std::make_unique<OneVsRest>(std::move(signature), std::move(members), multilabel, !written_since(context, 1, 6)));
}

Result<std::unique_ptr<Estimator>> build_one_vs_one(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  if (labels.size() < 2 || labels.size() > 10'000 || members.size() != labels.size() * (labels.size() - 1) / 2) {
    return wrong_count(context, members.size(), labels.size());
  }
  if (context.has("pairwise_indices_")) return context.error(Code::unsupported, "it works on precomputed kernels");
  Signature signature = member_signature(context, members);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<OneVsOne>(std::move(signature), std::move(members)));
}

Result<std::unique_ptr<Estimator>> build_output_code(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  JACKDAW_ASSIGN(Matrix code_book, shaped_matrix(context, "code_book_", static_cast<std::int64_t>(labels.size()),
                                                 static_cast<std::int64_t>(members.size())));
  Signature signature = member_signature(context, members);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(
      std::make_unique<OutputCode>(std::move(signature), std::move(members), std::move(code_book)));
}

Result<std::unique_ptr<Estimator>> build_constant_predictor(const BuildContext& context) {
  JACKDAW_ASSIGN(const Matrix y, shaped_matrix(context, "y_", 1, 1));
  return std::unique_ptr<Estimator>(std::make_unique<ConstantPredictor>(read_signature(context), y.values[0], y.dtype));
}

}  // namespace jackdaw::predict
