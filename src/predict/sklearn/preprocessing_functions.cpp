// FunctionTransformer: the identity, or one of numpy's functions known by name. Anything else is Python code.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/preprocessing.h"

namespace jackdaw::predict {
namespace {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

using Function = double (*)(double);

struct KnownFunction {
  std::string_view name;  // numpy's
  Function function;
  bool keeps_integers;  // integers stay integers; otherwise they become float64
};

constexpr KnownFunction known_functions[] = {
    {"log1p", [](double v) { return std::log1p(v); }, false},
    {"expm1", [](double v) { return std::expm1(v); }, false},
    {"log", [](double v) { return std::log(v); }, false},
    {"log2", [](double v) { return std::log2(v); }, false},
    {"log10", [](double v) { return std::log10(v); }, false},
    {"exp", [](double v) { return std::exp(v); }, false},
    {"exp2", [](double v) { return std::exp2(v); }, false},
    {"sqrt", [](double v) { return std::sqrt(v); }, false},
    {"cbrt", [](double v) { return std::cbrt(v); }, false},
    {"square", [](double v) { return v * v; }, true},
    {"absolute", [](double v) { return std::abs(v); }, true},
    {"abs", [](double v) { return std::abs(v); }, true},
    {"fabs", [](double v) { return std::abs(v); }, false},
    {"negative", [](double v) { return -v; }, true},
    {"positive", [](double v) { return v; }, true},
    {"sin", [](double v) { return std::sin(v); }, false},
    {"cos", [](double v) { return std::cos(v); }, false},
    {"tan", [](double v) { return std::tan(v); }, false},
    {"arcsin", [](double v) { return std::asin(v); }, false},
    {"arccos", [](double v) { return std::acos(v); }, false},
    {"arctan", [](double v) { return std::atan(v); }, false},
    {"sinh", [](double v) { return std::sinh(v); }, false},
    {"cosh", [](double v) { return std::cosh(v); }, false},
    {"tanh", [](double v) { return std::tanh(v); }, false},
    {"arcsinh", [](double v) { return std::asinh(v); }, false},
    {"arccosh", [](double v) { return std::acosh(v); }, false},
    {"arctanh", [](double v) { return std::atanh(v); }, false},
    {"floor", [](double v) { return std::floor(v); }, true},
    {"ceil", [](double v) { return std::ceil(v); }, true},
    {"rint", [](double v) { return std::nearbyint(v); }, false},
    {"trunc", [](double v) { return std::trunc(v); }, true},
    {"deg2rad", [](double v) { return v * (3.14159265358979323846 / 180.0); }, false},
    {"rad2deg", [](double v) { return v * (180.0 / 3.14159265358979323846); }, false},
};

const KnownFunction* find_function(std::string_view module, std::string_view name) {
  if (!(module == "numpy" || module.starts_with("numpy.core") || module.starts_with("numpy._core"))) return nullptr;
  for (const KnownFunction& f : known_functions) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

class FunctionTransformer : public Transformer {
 public:
  // A null function is the identity.
  FunctionTransformer(InputRule rule, const KnownFunction* function, std::optional<const KnownFunction*> inverse,
                      bool validate)
      : Transformer(std::move(rule)), function_(function), inverse_(inverse), validate_(validate) {}

  Result<Frame> transform(const Frame& x) const override {
    if (!validate_) return apply(x, function_);
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    return apply(Frame(std::move(in).take()), function_);
  }
  Result<Frame> inverse_transform(const Frame& x) const override {
    if (!inverse_) return make_error(Code::unsupported, "its inverse_func is Python code and cannot be served");
    return apply(x, *inverse_);
  }

 private:
  static DType result_dtype(DType dtype, const KnownFunction& f) {
    return is_float(dtype) || f.keeps_integers ? dtype : DType::fp64;
  }

  Result<Frame> apply(Frame x, const KnownFunction* f) const {
    if (f == nullptr) return x;
    if (auto* m = std::get_if<Matrix>(&x)) {
      if (m->sparse && f->function(0.0) != 0.0) *m = to_dense(*m);
      m->dtype = result_dtype(m->dtype, *f);
      for (double& v : m->values) v = round_to(m->dtype, f->function(v));
      return x;
    }
    if (auto* frame = std::get_if<DataFrame>(&x)) {
      for (Column& column : frame->columns) {
        if (column.is_text) return texts_refused(*f);
        column.dtype = result_dtype(column.dtype, *f);
        for (double& v : column.numbers) v = round_to(column.dtype, f->function(v));
      }
      return x;
    }
    return texts_refused(*f);
  }

  Error texts_refused(const KnownFunction& f) const {
    return make_error(Code::invalid_argument, "{} applies numpy.{} and takes numbers only, but X holds texts",
                      rule_.class_name, f.name);
  }

  const KnownFunction* function_;
  std::optional<const KnownFunction*> inverse_;  // nullopt: Python code
  bool validate_;
};

// (module, name) of a pickled function; ufuncs are a global, or numpy's _ufunc_reconstruct(module, name).
std::pair<std::string, std::string> function_name(const formats::ObjectGraph& graph, NodeId node) {
  if (graph.kind(node) == NodeKind::global) return {std::string(graph.module(node)), std::string(graph.name(node))};
  if (graph.kind(node) != NodeKind::object) return {};
  const auto parts = graph.object(node);
  if (!graph.class_name(node).ends_with("._ufunc_reconstruct") || parts.args == no_node) return {};
  const auto args = graph.items(parts.args);
  if (args.size() != 2 || graph.kind(args[0]) != NodeKind::text || graph.kind(args[1]) != NodeKind::text) return {};
  return {std::string(graph.text(args[0])), std::string(graph.text(args[1]))};
}

// The function in an attribute; null for None.
Result<const KnownFunction*> read_function(const BuildContext& c, std::string_view attribute) {
  if (!c.has(attribute)) return nullptr;
  const auto [module, name] = function_name(c.graph, c.attribute(attribute));
  if (const KnownFunction* f = find_function(module, name)) return f;
  return c.error(Code::unsupported,
                 fmt::format("its {} is {}, which is Python code and cannot be served; numpy functions such as "
                             "numpy.log1p are, and a scikit-learn transformer can often take its place",
                             attribute, name.empty() ? "a lambda or closure" : module + "." + name));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_function_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(const KnownFunction* function, read_function(c, "func"));
  std::optional<const KnownFunction*> inverse;
  if (const auto known = read_function(c, "inverse_func")) inverse = *known;
  if (c.has("kw_args") && c.graph.kind(c.attribute("kw_args")) == NodeKind::dict &&
      !c.graph.items(c.attribute("kw_args")).empty()) {
    return c.error(Code::unsupported, "kw_args are not supported");
  }
  const bool validate = c.flag_or("validate", false);
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = c.flag_or("accept_sparse", false);
  if (!validate) rule.n_features = -1;
  return std::unique_ptr<Estimator>(new FunctionTransformer(std::move(rule), function, inverse, validate));
}

}  // namespace jackdaw::predict
