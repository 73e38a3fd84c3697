// FeatureUnion: transformer_list of (name, transformer | 'drop' | 'passthrough' | None), transformer_weights.
#include <algorithm>

#include "src/predict/sklearn/compose.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

struct Part {
  std::string name;
  std::unique_ptr<Estimator> transformer;
  double weight = 1.0;
};

class FeatureUnion : public Estimator {
 public:
  explicit FeatureUnion(std::vector<Part> parts) : parts_(std::move(parts)) {}

  bool supports(Method method) const override { return method == Method::transform; }
  Result<Output> run(Method method, const Frame&) const override {
    return make_error(Code::unsupported, "'FeatureUnion' object has no attribute '{}'", method_name(method));
  }
  Result<Frame> transform(const Frame& x) const override {
    std::vector<Frame> answers;
    bool sparse = false;
    for (const Part& part : parts_) {
      JACKDAW_ASSIGN(Frame answer, part.transformer->transform(x));
      scale_frame(answer, part.weight);
      const auto* m = std::get_if<Matrix>(&answer);
      sparse |= m != nullptr && m->sparse;
      answers.push_back(std::move(answer));
    }
    return stack_frames(std::move(answers), frame_rows(x), sparse, "FeatureUnion");
  }

  std::int64_t n_features_in() const override {
    for (const Part& part : parts_) {
      if (part.transformer->n_features_in() >= 0) return part.transformer->n_features_in();
    }
    return -1;
  }
  std::span<const std::string> feature_names_in() const override {
    return parts_.empty() ? std::span<const std::string>() : parts_[0].transformer->feature_names_in();
  }
  bool takes_texts() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& p) { return p.transformer->takes_texts(); });
  }
  double cost_ns(std::size_t rows) const override {
    double sum = 100;
    for (const Part& part : parts_) sum += part.transformer->cost_ns(rows);
    return sum;
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = sizeof(*this);
    for (const Part& part : parts_) sum += part.transformer->resident_bytes();
    return sum;
  }

 private:
  std::vector<Part> parts_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_feature_union(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<formats::NodeId> nodes, object_list(c, "transformer_list"));
  std::vector<Part> parts;
  for (formats::NodeId node : nodes) {
    JACKDAW_ASSIGN(const NamedNode entry, named_node(c, node, "transformer_list"));
    if (is_drop(c.graph, entry.node) || c.graph.kind(entry.node) == formats::NodeKind::none) continue;
    Part part{entry.name, nullptr, weight_of(c, entry.name)};
    if (is_passthrough(c.graph, entry.node)) {
      part.transformer = identity_transformer();
    } else {
      const BuildContext child = c.child(entry.node, fmt::format("transformer_list['{}']", entry.name));
      JACKDAW_ASSIGN(part.transformer, build_estimator(child));
      if (!part.transformer->supports(Method::transform)) return child.error(Code::parse_error, "is no transformer");
    }
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<Estimator>(new FeatureUnion(std::move(parts)));
}

}  // namespace jackdaw::predict
