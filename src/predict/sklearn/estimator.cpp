#include "src/predict/sklearn/estimator.h"

#include <algorithm>
#include <array>

#include "jackdaw/base/text.h"
#include "src/predict/sklearn/labels.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;
using formats::NodeKind;

constexpr int depth_max = 64;
constexpr std::size_t elements_max = 1u << 28;

constexpr std::array<std::string_view, 6> method_names = {"predict",           "predict_proba", "predict_log_proba",
                                                          "decision_function", "transform",     "score_samples"};

}  // namespace

std::string_view method_name(Method method) {
  return method_names[static_cast<std::size_t>(method)];
}

std::optional<Method> method_from_name(std::string_view name) {
  const auto found = std::find(method_names.begin(), method_names.end(), name);
  if (found == method_names.end()) return std::nullopt;
  return static_cast<Method>(found - method_names.begin());
}

Result<Output> Estimator::transform_output(const Frame& x) const {
  JACKDAW_ASSIGN(Frame out, transform(x));
  return to_output(std::move(out));
}

Result<Frame> Estimator::inverse_transform(const Frame&) const {
  return make_error(Code::unsupported, "this transformer has no inverse_transform");
}

Result<Output> call_method(const Estimator& estimator, Method method, const Frame& x) {
  if (!estimator.supports(method)) {
    return make_error(Code::unsupported, "this model has no method '{}'", method_name(method));
  }
  return method == Method::transform ? estimator.transform_output(x) : estimator.run(method, x);
}

namespace {

Output text_rows_output(const DataFrame& frame) {
  engine::Tensor tensor;
  tensor.dtype = DType::bytes;
  tensor.shape = {static_cast<std::int64_t>(frame.rows), static_cast<std::int64_t>(frame.columns.size())};
  const std::size_t count = frame.rows * frame.columns.size();
  tensor.strings.reserve(count);
  bool any_missing = false;
  std::vector<std::uint8_t> missing(count, 0);
  for (std::size_t r = 0; r < frame.rows; ++r) {
    for (const Column& column : frame.columns) {
      const bool gone = column.is_missing(r);
      missing[tensor.strings.size()] = gone;
      any_missing |= gone;
      if (gone) {
        tensor.strings.emplace_back();
      } else if (column.is_text) {
        tensor.strings.push_back(column.texts[r]);
      } else {
        std::string text;
        append_json_double(text, column.numbers[r]);
        if (!is_float(column.dtype) && text.ends_with(".0")) text.resize(text.size() - 2);
        tensor.strings.push_back(std::move(text));
      }
    }
  }
  if (any_missing) tensor.missing = std::move(missing);
  return one_array(std::move(tensor));
}

Output texts_output(const Texts& texts) {
  engine::Tensor tensor;
  tensor.dtype = DType::bytes;
  tensor.shape = {static_cast<std::int64_t>(texts.values.size())};
  tensor.strings = texts.values;
  return one_array(std::move(tensor));
}

Output frame_output(const DataFrame& frame) {
  const bool has_text =
      std::any_of(frame.columns.begin(), frame.columns.end(), [](const Column& c) { return c.is_text; });
  if (has_text) return text_rows_output(frame);
  DType dtype = frame.columns.empty() ? DType::fp64 : frame.columns[0].dtype;
  for (const Column& column : frame.columns) dtype = promote(dtype, column.dtype);
  Matrix out = Matrix::dense(frame.rows, frame.columns.size(), dtype);
  for (std::size_t c = 0; c < frame.columns.size(); ++c) {
    const ColumnView view(frame.columns[c]);
    for (std::size_t r = 0; r < frame.rows; ++r) out.row(r)[c] = view.number(r);
  }
  return matrix_output(out);
}

}  // namespace

Result<Output> to_output(const Frame& frame) {
  if (const auto* texts = std::get_if<Texts>(&frame)) return texts_output(*texts);
  if (const auto* columns = std::get_if<DataFrame>(&frame)) return frame_output(*columns);
  const auto& matrix = std::get<Matrix>(frame);
  if (!matrix.sparse) return matrix_output(matrix);
  if (matrix.cols != 0 && matrix.rows > elements_max / matrix.cols) {
    return make_error(Code::too_large, "the answer would have {} x {} numbers; send fewer rows", matrix.rows,
                      matrix.cols);
  }
  return matrix_output(to_dense(matrix));
}

Result<Output> to_output(Frame&& frame) {
  return to_output(static_cast<const Frame&>(frame));
}

std::string canonical_class(std::string_view module, std::string_view name) {
  constexpr std::string_view root = "sklearn.";
  if (!module.starts_with(root)) return module.empty() ? std::string(name) : fmt::format("{}.{}", module, name);
  std::string_view package = module.substr(root.size());
  if (package.starts_with("feature_extraction.text")) return fmt::format("sklearn.feature_extraction.text.{}", name);
  package = package.substr(0, package.find('.'));
  if (package == "grid_search" || package == "cross_validation") package = "model_selection";
  if (package == "lda" || package == "qda") package = "discriminant_analysis";
  if (package == "externals") return fmt::format("{}.{}", module, name);
  return fmt::format("sklearn.{}.{}", package, name);
}

namespace {

// What to do about a class that is not in the table.
std::string advice_for(const formats::ObjectGraph& graph, NodeId node, std::string_view canonical) {
  const auto callable = graph.kind(node) == NodeKind::object ? graph.object(node).callable : node;
  const bool is_class = callable != formats::no_node && graph.kind(callable) == NodeKind::global;
  if (!is_class) return "this is no fitted estimator";
  if (canonical.starts_with("xgboost.") || canonical.starts_with("lightgbm.")) {
    return "models of this library inside a pickle are not read; save the booster in its own format (save_model) and "
           "serve it as that model format";
  }
  if (!canonical.starts_with("sklearn.")) {
    return "this is Python code of its author and cannot be served without Python; replace the step by scikit-learn's "
           "own transformers, or do that step in the client and export the rest";
  }
  std::vector<std::string_view> known;
  for (const ClassRow& row : estimator_table()) known.push_back(row.class_name);
  const std::string nearest = nearest_name(canonical, known);
  std::string advice = "this class is not supported";
  if (!nearest.empty()) advice += fmt::format("; the nearest supported one is {}", nearest);
  return advice + "; run `jackdaw inspect` on the file to see which steps are";
}

Error not_supported(const BuildContext& context) {
  const std::string canonical = context.canonical();
  return context.error(Code::unsupported, advice_for(context.graph, context.node, canonical));
}

// Marks an object as being built for as long as it lives.
class OpenMark {
 public:
  OpenMark(BuildState& state, NodeId node) : state_(state) { state_.open.push_back(node); }
  ~OpenMark() { state_.open.pop_back(); }
  OpenMark(const OpenMark&) = delete;
  OpenMark& operator=(const OpenMark&) = delete;

 private:
  BuildState& state_;
};

Result<void> check_bounds(const BuildContext& context) {
  BuildState& state = *context.state;
  if (context.depth > depth_max) return context.error(Code::unsupported, "steps are nested deeper than 64 levels");
  if (++state.built > state.built_max) return context.error(Code::too_large, "the model holds too many estimators");
  if (std::find(state.open.begin(), state.open.end(), context.node) != state.open.end()) {
    return context.error(Code::parse_error, "this object contains itself");
  }
  return {};
}

// Errors of the readers below know an offset at most; the path and the class are put before it.
Error with_path(const BuildContext& context, Error error) {
  if (error.where.starts_with(context.path)) return error;
  error.message = fmt::format("{}: {}", context.graph.class_name(context.node), error.message);
  return std::move(error).at(context.path);
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_estimator(const BuildContext& given) {
  BuildContext context = given;
  if (!context.state) context.state = std::make_shared<BuildState>();
  if (context.sklearn_version.empty()) context.sklearn_version = context.text_or("_sklearn_version", "");
  if (context.path.empty()) context.path = context.short_class();
  JACKDAW_TRY(check_bounds(context));
  if (context.graph.kind(context.node) != NodeKind::object) return not_supported(context);
  const ClassRow* row = find_class(context.canonical());
  if (row == nullptr) return not_supported(context);
  const OpenMark mark(*context.state, context.node);
  auto built = row->build(context);
  if (!built) return with_path(context, std::move(built).error());
  return built;
}

}  // namespace jackdaw::predict
