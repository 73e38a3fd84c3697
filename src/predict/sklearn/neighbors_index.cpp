#include "src/predict/sklearn/neighbors_index.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;

std::optional<NeighborIndex::Metric> NeighborIndex::metric_named(std::string_view name) {
  constexpr std::pair<std::string_view, Metric> names[] = {
      {"euclidean", Metric::euclidean}, {"l2", Metric::euclidean},        {"sqeuclidean", Metric::squared},
      {"manhattan", Metric::manhattan}, {"l1", Metric::manhattan},        {"cityblock", Metric::manhattan},
      {"chebyshev", Metric::chebyshev}, {"minkowski", Metric::minkowski}, {"cosine", Metric::cosine}};
  for (const auto& [known, metric] : names) {
    if (known == name) return metric;
  }
  return std::nullopt;
}

Result<NeighborIndex> NeighborIndex::read(const BuildContext& context) {
  NeighborIndex out;
  const std::string name = context.text_or("effective_metric_", context.text_or("metric", "a function"));
  const auto metric = metric_named(name);
  if (!metric) {
    return context.error(Code::unsupported, fmt::format("metric='{}'; euclidean, manhattan, chebyshev, minkowski and "
                                                        "cosine are served",
                                                        name));
  }
  out.metric_ = *metric;
  const NodeId params = context.attribute("effective_metric_params_");
  if (out.metric_ == Metric::minkowski) {
    const NodeId p = params == no_node ? no_node : context.graph.attribute(params, "p");
    out.p_ = p == no_node ? context.number_or("p", 2.0) : formats::to_number(context.graph, p).value_or(0.0);
    const NodeId w = params == no_node ? no_node : context.graph.attribute(params, "w");
    if (w != no_node && context.graph.kind(w) != formats::NodeKind::none) {
      return context.error(Code::unsupported, "a weighted minkowski metric");
    }
    if (!(out.p_ > 0.0)) return context.error(Code::parse_error, fmt::format("p is {}", out.p_));
  }
  JACKDAW_ASSIGN(const Matrix points, context.matrix("_fit_X"));
  if (points.rows == 0 || points.cols == 0) return context.error(Code::parse_error, "_fit_X is empty");
  if (points.rows > 0xffffffffu) return context.error(Code::too_large, "_fit_X has too many rows");
  out.panels_ = PointPanels(points);
  if (out.metric_ != Metric::cosine) return out;
  for (std::size_t r = 0; r < points.rows; ++r) {
    double sum = 0.0;
    for (std::size_t c = 0; c < points.cols; ++c) sum += points.row(r)[c] * points.row(r)[c];
    out.norms_.push_back(sum == 0.0 ? 1.0 : std::sqrt(sum));
  }
  return out;
}

void NeighborIndex::rank(const double* x, double* out) const {
  switch (metric_) {
    case Metric::euclidean:
    case Metric::squared:
      return panels_.squared_distances(x, out);
    case Metric::manhattan:
      return panels_.fold(x, out, [](double sum, double a, double b) { return sum + std::abs(a - b); });
    case Metric::chebyshev:
      return panels_.fold(x, out, [](double sum, double a, double b) { return std::max(sum, std::abs(a - b)); });
    case Metric::minkowski:
      return panels_.fold(x, out,
                          [p = p_](double sum, double a, double b) { return sum + std::pow(std::abs(a - b), p); });
    case Metric::cosine:
      break;
  }
  double norm = 0.0;
  for (std::size_t c = 0; c < cols(); ++c) norm += x[c] * x[c];
  norm = norm == 0.0 ? 1.0 : std::sqrt(norm);
  panels_.dots(x, out);
  for (std::size_t i = 0; i < count(); ++i) out[i] = std::clamp(1.0 - out[i] / (norm * norms_[i]), 0.0, 2.0);
}

double NeighborIndex::distance_of(double rank) const {
  if (metric_ == Metric::euclidean) return std::sqrt(rank);
  return metric_ == Metric::minkowski ? std::pow(rank, 1.0 / p_) : rank;
}

void NeighborIndex::nearest(const double* x, std::size_t k, std::vector<Neighbor>& out) const {
  static thread_local std::vector<double> ranks;
  static thread_local std::vector<std::uint32_t> order;
  ranks.resize(count());
  rank(x, ranks.data());
  order.resize(count());
  for (std::size_t i = 0; i < count(); ++i) order[i] = static_cast<std::uint32_t>(i);
  const auto closer = [](std::uint32_t a, std::uint32_t b) {
    return ranks[a] < ranks[b] || (ranks[a] == ranks[b] && a < b);
  };
  const auto kth = order.begin() + static_cast<std::ptrdiff_t>(k);
  if (k < count()) std::nth_element(order.begin(), kth - 1, order.end(), closer);
  std::sort(order.begin(), kth, closer);
  out.clear();
  for (auto i = order.begin(); i != kth; ++i) out.push_back({distance_of(ranks[*i]), *i});
}

void NeighborIndex::within(const double* x, double radius, std::vector<Neighbor>& out) const {
  static thread_local std::vector<double> ranks;
  ranks.resize(count());
  rank(x, ranks.data());
  out.clear();
  for (std::size_t i = 0; i < count(); ++i) {
    const double distance = distance_of(ranks[i]);
    if (distance <= radius) out.push_back({distance, static_cast<std::uint32_t>(i)});
  }
}

}  // namespace jackdaw::predict
