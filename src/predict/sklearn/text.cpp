// Vectorizers. CountVectorizer: vocabulary_ (a dict from token to column; `vocabulary` when never fitted), binary,
// dtype, and the analyzer's parameters. TfidfTransformer: idf_ (1.4+) or _idf_diag (a diagonal matrix), use_idf,
// sublinear_tf, norm. TfidfVectorizer: both, the transformer in _tfidf. HashingVectorizer: n_features, alternate_sign,
// norm, binary.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "src/predict/sklearn/categories.h"
#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/text_analyzer.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;
using formats::NodeKind;

enum class RowNorm : unsigned char { none, l1, l2 };

void normalize_rows(Matrix& m, RowNorm norm) {
  for (std::size_t r = 0; norm != RowNorm::none && r < m.rows; ++r) {
    double sum = 0;
    for (std::size_t k = m.row_begin[r]; k < m.row_begin[r + 1]; ++k) {
      sum += norm == RowNorm::l1 ? std::abs(m.values[k]) : m.values[k] * m.values[k];
    }
    if (sum == 0) continue;
    if (norm == RowNorm::l2) sum = std::sqrt(sum);
    for (std::size_t k = m.row_begin[r]; k < m.row_begin[r + 1]; ++k)
      m.values[k] = round_to(m.dtype, m.values[k] / sum);
  }
}

Result<RowNorm> read_norm(const BuildContext& c) {
  if (!c.has("norm")) return RowNorm::none;
  const std::string norm = c.text_or("norm", "");
  if (norm == "l1") return RowNorm::l1;
  if (norm == "l2") return RowNorm::l2;
  return c.error(Code::unsupported, fmt::format("norm '{}' is not supported", norm));
}

// Documents of any frame: texts, or the single text column of a data frame.
Result<std::vector<std::string_view>> documents_of(const Frame& x, std::string_view class_name) {
  std::vector<std::string_view> out;
  if (const auto* texts = std::get_if<Texts>(&x)) {
    out.assign(texts->values.begin(), texts->values.end());
    return out;
  }
  const auto* frame = std::get_if<DataFrame>(&x);
  if (frame == nullptr || frame->columns.size() != 1 || !frame->columns[0].is_text) {
    return make_error(Code::invalid_argument, "Iterable over raw text documents expected: {} takes one list of texts.",
                      class_name);
  }
  const Column& column = frame->columns[0];
  for (std::size_t r = 0; r < column.texts.size(); ++r) {
    if (column.is_missing(r)) {
      return make_error(Code::invalid_argument,
                        "np.nan is an invalid document, expected byte or unicode string. (Row {}.)", r);
    }
    out.emplace_back(column.texts[r]);
  }
  return out;
}

// ---- tf-idf -------------------------------------------------------------------------------------------------------

struct Weighting {
  std::vector<double> idf;  // empty: no idf
  bool sublinear = false;
  RowNorm norm = RowNorm::none;
  std::int64_t width = -1;

  static Result<Weighting> read(const BuildContext& c);

  void apply(Matrix& m) const {
    if (!is_float(m.dtype)) m.dtype = DType::fp64;
    for (std::size_t k = 0; k < m.values.size(); ++k) {
      double v = m.values[k];
      if (sublinear) v = round_to(m.dtype, round_to(m.dtype, std::log(v)) + 1.0);
      if (!idf.empty()) v = round_to(m.dtype, v * idf[m.columns[k]]);
      m.values[k] = v;
    }
    normalize_rows(m, norm);
  }
};

// The diagonal of a scipy matrix in CSR or DIA form.
Result<std::vector<double>> read_diagonal(const BuildContext& c, std::string_view name) {
  const NodeId node = c.attribute(name);
  if (formats::is_csr(c.graph, node)) {
    auto csr = formats::to_csr(c.graph, node);
    if (!csr) return c.error(csr.error().code, csr.error().text());
    if (csr->rows != csr->cols || csr->rows > (1 << 28)) return c.error(Code::parse_error, "'_idf_diag' is not square");
    std::vector<double> out(static_cast<std::size_t>(csr->cols));
    for (std::size_t r = 0; r < out.size(); ++r) {
      for (auto k = csr->row_begin[r]; k < csr->row_begin[r + 1]; ++k) {
        const auto i = static_cast<std::size_t>(k);
        if (csr->columns[i] == static_cast<std::int32_t>(r)) out[r] += csr->values[i];
      }
    }
    return out;
  }
  return c.child(node, name).doubles("data");  // dia_matrix: data of shape (1, n) for the main diagonal
}

Result<Weighting> Weighting::read(const BuildContext& c) {
  Weighting out;
  JACKDAW_ASSIGN(out.norm, read_norm(c));
  out.sublinear = c.flag_or("sublinear_tf", false);
  if (c.flag_or("use_idf", true)) {
    if (c.has("idf_")) {
      JACKDAW_ASSIGN(out.idf, c.doubles("idf_"));
    } else if (c.has("_idf_diag")) {
      JACKDAW_ASSIGN(out.idf, read_diagonal(c, "_idf_diag"));
    } else {
      return c.error(Code::parse_error, "the attribute 'idf_' is missing; was this object fitted?");
    }
    out.width = static_cast<std::int64_t>(out.idf.size());
  }
  return out;
}

class TfidfTransformer : public Transformer {
 public:
  TfidfTransformer(InputRule rule, Weighting weighting)
      : Transformer(std::move(rule)), weighting_(std::move(weighting)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    return weigh(std::move(in).take());
  }
  Result<Frame> transform_owned(Frame&& x) const override {
    JACKDAW_ASSIGN(Matrix in, check_owned_input(std::move(x), rule_));
    return weigh(std::move(in));
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + 8 * weighting_.idf.size(); }

 private:
  Result<Frame> weigh(Matrix m) const {
    if (!m.sparse) m = to_sparse(m);
    weighting_.apply(m);
    return Frame(std::move(m));
  }
  Weighting weighting_;
};

Result<std::unique_ptr<Estimator>> tfidf_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(Weighting weighting, Weighting::read(c));
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  rule.accept_sparse = true;
  if (weighting.width >= 0) JACKDAW_TRY(fit_width(c, rule, static_cast<std::size_t>(weighting.width)));
  return std::unique_ptr<Estimator>(new TfidfTransformer(std::move(rule), std::move(weighting)));
}

// ---- counting -----------------------------------------------------------------------------------------------------

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view t) const { return std::hash<std::string_view>{}(t); }
};
using Vocabulary = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

// Columns hit by one document with their counts, in column order.
class RowCounter {
 public:
  void add(std::uint32_t column, double value) { hits_.emplace_back(column, value); }
  // Sums equal columns; sums that cancel stay as explicit zeros, which `binary` turns into ones, as scikit-learn does.
  void flush(Matrix& out, bool binary) {
    std::stable_sort(hits_.begin(), hits_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < hits_.size();) {
      double sum = 0;
      std::size_t k = i;
      for (; k < hits_.size() && hits_[k].first == hits_[i].first; ++k) sum += hits_[k].second;
      out.push(hits_[i].first, binary ? 1.0 : sum);
      i = k;
    }
    out.end_row();
    hits_.clear();
  }

 private:
  std::vector<std::pair<std::uint32_t, double>> hits_;
};

class Vectorizer : public Transformer {
 public:
  Vectorizer(InputRule rule, TextAnalyzer analyzer, std::size_t width, bool binary, DType dtype,
             std::optional<Weighting> weighting)
      : Transformer(std::move(rule)),
        analyzer_(std::move(analyzer)),
        width_(width),
        binary_(binary),
        dtype_(dtype),
        weighting_(std::move(weighting)) {
    rule_.n_features = -1;
  }

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const std::vector<std::string_view> documents, documents_of(x, rule_.class_name));
    Matrix out = Matrix::csr(width_, dtype_);
    RowCounter counter;
    for (std::string_view document : documents) {
      JACKDAW_TRY(analyzer_.analyze(document, [&](std::string_view token) { count(token, counter); }));
      counter.flush(out, binary_);
    }
    if (weighting_) weighting_->apply(out);
    return Frame(std::move(out));
  }
  bool takes_texts() const override { return true; }
  double cost_ns(std::size_t rows) const override { return 500.0 + 3000.0 * static_cast<double>(rows); }

 protected:
  virtual void count(std::string_view token, RowCounter& counter) const = 0;

 private:
  TextAnalyzer analyzer_;
  std::size_t width_;
  bool binary_;
  DType dtype_;
  std::optional<Weighting> weighting_;
};

class CountVectorizer : public Vectorizer {
 public:
  CountVectorizer(InputRule rule, TextAnalyzer analyzer, Vocabulary vocabulary, bool binary, DType dtype,
                  std::optional<Weighting> weighting)
      : Vectorizer(std::move(rule), std::move(analyzer), vocabulary.size(), binary, dtype, std::move(weighting)),
        vocabulary_(std::move(vocabulary)) {}
  std::size_t resident_bytes() const override { return sizeof(*this) + vocabulary_.size() * 80; }

 protected:
  void count(std::string_view token, RowCounter& counter) const override {
    const auto found = vocabulary_.find(token);
    if (found != vocabulary_.end()) counter.add(found->second, 1.0);
  }

 private:
  Vocabulary vocabulary_;
};

Result<Vocabulary> vocabulary_from_dict(const BuildContext& c, NodeId node) {
  Vocabulary out;
  const auto items = c.graph.items(node);
  out.reserve(items.size() / 2);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto index = formats::to_number(c.graph, items[i + 1]);
    const bool fits = index && *index >= 0 && *index < static_cast<double>(items.size() / 2);
    if (c.graph.kind(items[i]) != NodeKind::text || !fits) {
      return c.error(Code::parse_error, "'vocabulary_' is not a dict from texts to places");
    }
    out.emplace(c.graph.text(items[i]), static_cast<std::uint32_t>(*index));
  }
  if (out.size() != items.size() / 2) return c.error(Code::parse_error, "'vocabulary_' names a token twice");
  return out;
}

Result<Vocabulary> read_vocabulary(const BuildContext& c) {
  const std::string_view name = c.has("vocabulary_") ? "vocabulary_" : "vocabulary";
  const NodeId node = c.attribute(name);
  if (node == formats::no_node) return c.error(Code::parse_error, "it has no vocabulary; was it fitted?");
  if (c.graph.kind(node) == NodeKind::dict) return vocabulary_from_dict(c, node);
  if (c.graph.kind(node) == NodeKind::object && !c.graph.object(node).set_items.empty()) {
    return c.error(Code::unsupported, fmt::format("'{}' is no plain dict", name));
  }
  Vocabulary out;
  const std::vector<std::string> words = c.strings_or_empty(name);
  for (const std::string& word : words) out.emplace(word, static_cast<std::uint32_t>(out.size()));
  if (out.empty() || out.size() != words.size())
    return c.error(Code::parse_error, "it has no vocabulary; was it fitted?");
  return out;
}

Result<std::unique_ptr<Estimator>> make_counter(const BuildContext& c, DType dtype,
                                                std::optional<Weighting> weighting) {
  JACKDAW_ASSIGN(TextAnalyzer analyzer, TextAnalyzer::read(c));
  JACKDAW_ASSIGN(Vocabulary vocabulary, read_vocabulary(c));
  if (weighting && weighting->width >= 0 && weighting->width != static_cast<std::int64_t>(vocabulary.size())) {
    return c.error(Code::parse_error, "'idf_' does not fit 'vocabulary_'");
  }
  return std::unique_ptr<Estimator>(new CountVectorizer(InputRule::of(c), std::move(analyzer), std::move(vocabulary),
                                                        c.flag_or("binary", false), dtype, std::move(weighting)));
}

Result<std::unique_ptr<Estimator>> count_vectorizer(const BuildContext& c) {
  return make_counter(c, dtype_attribute(c, "dtype", DType::int64), std::nullopt);
}

Result<std::unique_ptr<Estimator>> tfidf_vectorizer(const BuildContext& c) {
  if (!c.has("_tfidf")) return c.error(Code::parse_error, "the attribute '_tfidf' is missing; was this object fitted?");
  JACKDAW_ASSIGN(Weighting weighting, Weighting::read(c.child(c.attribute("_tfidf"), "_tfidf")));
  return make_counter(c, dtype_attribute(c, "dtype", DType::fp64), std::move(weighting));
}

// ---- hashing ------------------------------------------------------------------------------------------------------

std::uint32_t rotate_left(std::uint32_t v, int by) {
  return v << by | v >> (32 - by);
}

// MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain algorithm).
std::int32_t murmur3(std::string_view text) {
  constexpr std::uint32_t c1 = 0xcc9e2d51u, c2 = 0x1b873593u;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  std::uint32_t h = 0;
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::uint32_t k = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    h ^= rotate_left(k * c1, 15) * c2;
    h = rotate_left(h, 13) * 5 + 0xe6546b64u;
  }
  std::uint32_t tail = 0;
  for (std::size_t k = text.size(); k > i; --k) tail = tail << 8 | byte(k - 1);
  h ^= rotate_left(tail * c1, 15) * c2;
  h ^= static_cast<std::uint32_t>(text.size());
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return static_cast<std::int32_t>(h ^ h >> 16);
}

class HashingVectorizer : public Vectorizer {
 public:
  HashingVectorizer(InputRule rule, TextAnalyzer analyzer, std::uint32_t features, bool alternate, bool binary,
                    DType dtype, Weighting norm)
      : Vectorizer(std::move(rule), std::move(analyzer), features, binary, dtype, std::move(norm)),
        features_(features),
        alternate_(alternate) {}

 protected:
  void count(std::string_view token, RowCounter& counter) const override {
    const std::int64_t h = murmur3(token);
    const auto column = static_cast<std::uint32_t>((h < 0 ? -h : h) % features_);
    // abs(-2^31) overflows in 32 bits; scikit-learn places it by hand.
    const bool lowest = h == std::numeric_limits<std::int32_t>::min();
    const std::uint32_t place = lowest ? (2147483647u - (features_ - 1)) % features_ : column;
    counter.add(place, alternate_ && h < 0 ? -1.0 : 1.0);
  }

 private:
  std::uint32_t features_;
  bool alternate_;
};

Result<std::unique_ptr<Estimator>> hashing_vectorizer(const BuildContext& c) {
  JACKDAW_ASSIGN(TextAnalyzer analyzer, TextAnalyzer::read(c));
  JACKDAW_ASSIGN(const std::int64_t features, c.integer("n_features"));
  if (features < 1 || features > 2147483647) return c.error(Code::parse_error, "'n_features' is out of range");
  Weighting norm;
  JACKDAW_ASSIGN(norm.norm, read_norm(c));
  return std::unique_ptr<Estimator>(new HashingVectorizer(
      InputRule::of(c), std::move(analyzer), static_cast<std::uint32_t>(features), c.flag_or("alternate_sign", true),
      c.flag_or("binary", false), dtype_attribute(c, "dtype", DType::fp64), norm));
}

constexpr ClassRow rows[] = {
    {"sklearn.feature_extraction.text.CountVectorizer", count_vectorizer},
    {"sklearn.feature_extraction.text.TfidfVectorizer", tfidf_vectorizer},
    {"sklearn.feature_extraction.text.TfidfTransformer", tfidf_transformer},
    {"sklearn.feature_extraction.text.HashingVectorizer", hashing_vectorizer},
};

}  // namespace

std::span<const ClassRow> text_rows() {
  return rows;
}

}  // namespace jackdaw::predict
