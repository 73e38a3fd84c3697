// Fuzzes what stands behind a scikit-learn model file: the object graph, every builder, and the estimators they make,
// which are run on a few small inputs. Whatever the bytes say, the outcome is an answer or an Error.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "src/predict/sklearn/estimator.h"

using namespace jackdaw;
using namespace jackdaw::predict;

namespace {

Matrix matrix_of(std::size_t cols, DType dtype) {
  Matrix m = Matrix::dense(2, cols, dtype);
  for (std::size_t i = 0; i < m.values.size(); ++i) m.values[i] = static_cast<double>(i % 5) - 1.0;
  return m;
}

DataFrame frame_of(const Estimator& estimator, std::size_t cols) {
  DataFrame frame;
  frame.rows = 2;
  const auto names = estimator.feature_names_in();
  for (std::size_t c = 0; c < cols; ++c) {
    Column column;
    column.name = c < names.size() ? names[c] : "";
    column.is_text = c % 2 == 1;
    if (column.is_text) {
      column.dtype = DType::bytes;
      column.texts = {"a", "S"};
      column.missing = {0, 1};
    } else {
      column.numbers = {1.0, NAN};
    }
    frame.columns.push_back(std::move(column));
  }
  return frame;
}

void run_all(const Estimator& estimator, const Frame& x) {
  if (estimator.cost_ns(frame_rows(x)) > 1e8) return;
  for (Method method : {Method::predict, Method::predict_proba, Method::predict_log_proba, Method::decision_function,
                        Method::transform, Method::score_samples}) {
    (void)call_method(estimator, method, x);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  formats::ReadLimits limits;
  limits.stream_bytes_max = 4u << 20;
  limits.nodes_max = 1u << 18;
  const auto graph = formats::read_object_graph(std::move(bytes), limits);
  if (!graph) return 0;
  BuildContext context{*graph, graph->root(), "", 0, "", nullptr};
  context.state = std::make_shared<BuildState>();
  context.state->built_max = 200;
  context.state->bytes_max = 64u << 20;
  const auto estimator = build_estimator(context);
  if (!estimator) return 0;
  const Estimator& e = **estimator;
  const auto width = static_cast<std::size_t>(std::clamp<std::int64_t>(e.n_features_in(), 0, 4096));
  const std::size_t cols = e.n_features_in() < 0 ? 3 : width;
  run_all(e, Frame(matrix_of(cols, DType::fp64)));
  run_all(e, Frame(matrix_of(cols, DType::fp32)));
  run_all(e, Frame(matrix_of(cols, DType::int64)));
  run_all(e, Frame(frame_of(e, cols)));
  run_all(e, Frame(Texts{{"the quick fox", "\xc3\x9c\xff b\xcc\x88"}}));
  return 0;
}
