#include "src/app/client/metrics_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace jackdaw::app {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// Takes `name="value"` off the front; false when there is none.
bool take_label(std::string_view& text, Labels& labels) {
  const std::size_t equals = text.find("=\"");
  if (equals == npos) return false;
  const std::string_view name = text.substr(0, equals);
  std::string value;
  std::size_t i = equals + 2;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      value += text[i] == 'n' ? '\n' : text[i];
    } else {
      value += text[i];
    }
  }
  if (i >= text.size()) return false;
  labels.emplace(name, std::move(value));
  text.remove_prefix(i + 1);
  if (text.starts_with(',')) text.remove_prefix(1);
  return true;
}

bool read_value(std::string_view text, double& value) {
  const std::string word(text.substr(0, text.find(' ')));  // a timestamp may follow
  char* end = nullptr;
  value = std::strtod(word.c_str(), &end);
  return !word.empty() && *end == '\0';
}

bool has_labels(const MetricSample& sample, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = sample.labels.find(label.first);
    return found != sample.labels.end() && found->second == label.second;
  });
}

}  // namespace

MetricsText MetricsText::parse(std::string_view text) {
  MetricsText out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t end = line.find_first_of("{ ");
    if (line.empty() || line.front() == '#' || end == npos || end == 0) continue;
    const std::string name(line.substr(0, end));
    MetricSample sample;
    const bool labelled = line[end] == '{';
    line.remove_prefix(end + 1);
    if (labelled) {
      while (!line.starts_with('}') && take_label(line, sample.labels)) {
      }
      if (!line.starts_with("} ")) continue;
      line.remove_prefix(2);
    }
    if (read_value(line, sample.value)) out.by_name_[name].push_back(std::move(sample));
  }
  return out;
}

const std::vector<MetricSample>& MetricsText::samples(std::string_view name) const {
  static const std::vector<MetricSample> none;
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? none : found->second;
}

double MetricsText::sum(std::string_view name, const Labels& labels) const {
  double total = 0;
  for (const MetricSample& sample : samples(name)) {
    if (has_labels(sample, labels)) total += sample.value;
  }
  return total;
}

std::map<double, double> MetricsText::buckets(std::string_view name, const Labels& labels) const {
  std::map<double, double> out;
  for (const MetricSample& sample : samples(std::string(name) + "_bucket")) {
    const auto end = sample.labels.find("le");
    if (end == sample.labels.end() || !has_labels(sample, labels)) continue;
    double bound = 0;
    if (read_value(end->second, bound)) out[bound] += sample.value;
  }
  return out;
}

double growth(double before, double now) {
  return now >= before ? now - before : now;
}

double quantile(const std::map<double, double>& before, const std::map<double, double>& now, double q) {
  const auto grown = [&before](const auto& bucket) {
    const auto old = before.find(bucket.first);
    return old == before.end() ? bucket.second : growth(old->second, bucket.second);
  };
  const double total = now.empty() ? 0 : grown(*now.rbegin());
  if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
  const double wanted = q * total;
  double lower = 0, below = 0;
  for (const auto& bucket : now) {
    const double seen = grown(bucket);
    if (seen >= wanted && seen > below) {
      if (std::isinf(bucket.first)) return lower;  // beyond the last bound
      return lower + (bucket.first - lower) * (wanted - below) / (seen - below);
    }
    lower = bucket.first;
    below = seen;
  }
  return lower;
}

}  // namespace jackdaw::app
