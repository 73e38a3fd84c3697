#include "src/app/client/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <tuple>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/app/client/session.h"
#include "src/app/client/table_layout.h"
#include "src/app/client/units.h"

namespace jackdaw::app {
namespace {

using spec::Json;

double number_at(const Json& object, std::string_view name) {
  const Json* found = object.find(name);
  return found == nullptr ? 0 : std::strtod(found->dump().c_str(), nullptr);
}

// A counter's growth per second, and the quantiles of a histogram, between two readings.
class Between {
 public:
  Between(const TopReading& before, const TopReading& now)
      : before_(before), now_(now), seconds_(std::max(now.at - before.at, 1e-3)) {}

  bool has(std::string_view name, const Labels& labels) const {
    const auto& samples = now_.metrics.samples(name);
    return std::any_of(samples.begin(), samples.end(), [&](const MetricSample& sample) {
      return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
        const auto found = sample.labels.find(label.first);
        return found != sample.labels.end() && found->second == label.second;
      });
    });
  }
  double value(std::string_view name, const Labels& labels) const { return now_.metrics.sum(name, labels); }
  double rate(std::string_view name, const Labels& labels = {}) const {
    return growth(before_.metrics.sum(name, labels), now_.metrics.sum(name, labels)) / seconds_;
  }
  double quantile(std::string_view name, const Labels& labels, double q) const {
    return app::quantile(before_.metrics.buckets(name, labels), now_.metrics.buckets(name, labels), q);
  }

 private:
  const TopReading& before_;
  const TopReading& now_;
  const double seconds_;
};

// Revisions are counted under their service; models that have none under their name.
void add_traffic(TopRow& row, const Between& between) {
  const Labels service{{"namespace", row.namespace_name}, {"service", row.service}};
  const Labels model{{"model", row.model}}, model_name{{"model_name", row.model}};
  if (between.has("jackdaw_revision_requests_total", service)) {
    row.errors_per_s = between.rate("jackdaw_revision_failures_total", service);
    row.requests_per_s = between.rate("jackdaw_revision_requests_total", service);
  } else {
    row.errors_per_s = between.rate("nv_inference_request_failure", model);
    row.requests_per_s = between.rate("nv_inference_request_success", model) + row.errors_per_s;
  }
  const std::array<std::pair<std::string_view, const Labels*>, 3> latencies{
      {{"jackdaw_revision_request_seconds", &service},
       {"vllm:e2e_request_latency_seconds", &model_name},
       {"request_predict_seconds", &model_name}}};
  row.p50_s = row.p99_s = std::nan("");
  for (const auto& [name, labels] : latencies) {
    if (!between.has(std::string(name) + "_bucket", *labels)) continue;
    row.p50_s = between.quantile(name, *labels, 0.5);
    row.p99_s = between.quantile(name, *labels, 0.99);
    break;
  }
  row.tokens_per_s = between.rate("vllm:generation_tokens_total", model_name);
}

// Where an autoscaler counts replicas, those are what is ready, not the versions that answer.
void add_replicas(TopRow& row, const Between& between) {
  const Labels service{{"namespace_name", row.namespace_name}, {"service_name", row.service}};
  if (!between.has("autoscaler_desired_pods", service)) return;
  row.replicas = std::llround(between.value("autoscaler_actual_pods", service));
  row.desired = std::llround(between.value("autoscaler_desired_pods", service));
}

TopRow row_of(const Json& model) {
  TopRow row;
  row.namespace_name = text_at(model, {"namespace"});
  row.service = text_at(model, {"service"});
  row.model = text_at(model, {"name"});
  row.state = text_at(model, {"state"});
  row.reason = text_at(model, {"reason"});
  const Json* generates = model.find("generates");
  row.generates = generates != nullptr && generates->as_boolean();
  return row;
}

// Versions and replicas of one model are one row; what they hold counts together.
void add_instance(TopRow& row, const Json& model) {
  const std::string state = text_at(model, {"state"});
  if (state == "READY") ++row.replicas;
  if (state == "READY" || row.state != "READY") {
    row.state = state;
    row.reason = text_at(model, {"reason"});
  }
  row.in_flight += std::max(number_at(model, "in_flight"), number_at(model, "running") + number_at(model, "waiting"));
  row.kv_cache_usage = std::max(row.kv_cache_usage, number_at(model, "kv_cache_usage"));
  row.resident_bytes += number_at(model, "resident_bytes");
}

void sort_rows(std::vector<TopRow>& rows, TopOrder order) {
  std::stable_sort(rows.begin(), rows.end(), [](const TopRow& a, const TopRow& b) {
    return std::tie(a.namespace_name, a.model) < std::tie(b.namespace_name, b.model);
  });
  if (order == TopOrder::name) return;
  std::stable_sort(rows.begin(), rows.end(), [order](const TopRow& a, const TopRow& b) {
    return order == TopOrder::memory ? a.resident_bytes > b.resident_bytes : a.requests_per_s > b.requests_per_s;
  });
}

// What matters most comes first: a narrow terminal cuts the end.
std::string header_line(const TopReport& report) {
  return fmt::format("jackdaw {}, up {}, {} request(s)/s, {:.0f} connection(s), CPU {:.0f}%, memory {}, at {}",
                     report.version, short_age(std::chrono::seconds(report.uptime_s)),
                     short_number(report.requests_per_s), report.connections, report.cpu_percent,
                     short_bytes(report.resident_bytes), report.server);
}

// Dashes for what a model does not have.
std::vector<std::string> cells_of(const TopRow& row) {
  const std::string state = row.reason.empty() || row.state == "READY" ? row.state : row.state + ": " + row.reason;
  return {row.namespace_name,
          row.model,
          state,
          row.desired < 0 ? fmt::format("{}", row.replicas) : fmt::format("{}/{}", row.replicas, row.desired),
          short_number(row.requests_per_s),
          short_latency(row.p50_s),
          short_latency(row.p99_s),
          fmt::format("{:.0f}", row.in_flight),
          short_number(row.errors_per_s),
          row.generates ? short_number(row.tokens_per_s) : "-",
          row.generates ? fmt::format("{:.0f}%", row.kv_cache_usage * 100) : "-",
          row.resident_bytes > 0 ? short_bytes(row.resident_bytes) : "-"};
}

std::string json_number(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

Json number(double value) {
  return spec::read_json(json_number(value), "number").value();
}

}  // namespace

TopReport top_report(std::string server, const TopReading& before, const TopReading& now, TopOrder order) {
  const Between between(before, now);
  TopReport report;
  report.server = std::move(server);
  report.version = text_at(now.stats, {"version"});
  report.uptime_s = static_cast<std::int64_t>(number_at(now.stats, "uptime_seconds"));
  report.connections = now.metrics.sum("jackdaw_http_connections");
  report.cpu_percent = between.rate("process_cpu_seconds_total") * 100;
  report.resident_bytes = now.metrics.sum("process_resident_memory_bytes");
  if (const Json* models = now.stats.find("models")) {
    for (const Json& model : models->items()) {
      const TopRow row = row_of(model);
      auto at = std::find_if(report.rows.begin(), report.rows.end(), [&](const TopRow& known) {
        return known.model == row.model && known.namespace_name == row.namespace_name;
      });
      if (at == report.rows.end()) at = report.rows.insert(at, row);
      add_instance(*at, model);
    }
  }
  for (TopRow& row : report.rows) {
    add_traffic(row, between);
    add_replicas(row, between);
    report.requests_per_s += row.requests_per_s;
  }
  sort_rows(report.rows, order);
  return report;
}

std::string top_text(const TopReport& report, const TopStyle& style) {
  TableLayout table({{"Namespace"},
                     {"Model"},
                     {"State"},
                     {"Ready", true},
                     {"Req/s", true},
                     {"p50", true},
                     {"p99", true},
                     {"In flight", true},
                     {"Err/s", true},
                     {"Tok/s", true},
                     {"KV", true},
                     {"Memory", true}});
  for (const TopRow& row : report.rows) table.add(cells_of(row));
  std::string header = header_line(report);
  if (style.width > 0) header = shortened(header, style.width);
  return header + "\n\n" + table.text({.width = style.width, .colour = style.colour});
}

std::string top_json(const TopReport& report) {
  Json models = Json::array();
  for (const TopRow& row : report.rows) {
    Json model = Json::object({{"namespace", Json::text(row.namespace_name)},
                               {"service", Json::text(row.service)},
                               {"model", Json::text(row.model)},
                               {"state", Json::text(row.state)},
                               {"reason", Json::text(row.reason)},
                               {"ready", Json::integer(row.replicas)},
                               {"requests_per_second", number(row.requests_per_s)},
                               {"errors_per_second", number(row.errors_per_s)},
                               {"p50_seconds", number(row.p50_s)},
                               {"p99_seconds", number(row.p99_s)},
                               {"in_flight", number(row.in_flight)},
                               {"resident_bytes", number(row.resident_bytes)}});
    model.set("desired", row.desired < 0 ? Json() : Json::integer(row.desired));
    model.set("tokens_per_second", row.generates ? number(row.tokens_per_s) : Json());
    model.set("kv_cache_usage", row.generates ? number(row.kv_cache_usage) : Json());
    models.append(std::move(model));
  }
  return Json::object({{"server", Json::text(report.server)},
                       {"version", Json::text(report.version)},
                       {"uptime_seconds", Json::integer(report.uptime_s)},
                       {"connections", number(report.connections)},
                       {"cpu_percent", number(report.cpu_percent)},
                       {"resident_bytes", number(report.resident_bytes)},
                       {"requests_per_second", number(report.requests_per_s)},
                       {"models", std::move(models)}})
      .dump();
}

}  // namespace jackdaw::app
