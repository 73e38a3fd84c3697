#include <catch2/catch.hpp>
#include <cmath>

#include "src/app/client/describe_page.h"
#include "src/app/client/log_lines.h"
#include "src/app/client/metrics_text.h"
#include "src/app/client/top_screen.h"

using namespace jackdaw;
using namespace jackdaw::app;

namespace {

spec::Json json(std::string_view text) {
  const auto read = spec::read_json(text, "test");
  REQUIRE(read.has_value());
  return *read;
}

}  // namespace

TEST_CASE("MetricsAreReadByNameAndLabels") {
  const MetricsText metrics = MetricsText::parse(
      "# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.0\na{x=\"1\"} 3\na{x=\"2\"} 4 1700000000\nplain "
      "5e3\n"
      "broken\n{no=\"name\"} 1\nbad{x=\"1\" 5\nbad2{x=\"1\"} five\ninf +Inf\n");
  CHECK(metrics.sum("a") == 9);
  CHECK(metrics.sum("a", {{"x", "1"}}) == 5);
  CHECK(metrics.sum("a", {{"y", "q\"\\\n"}}) == 2);
  CHECK(metrics.sum("plain") == 5000);
  CHECK(std::isinf(metrics.sum("inf")));
  CHECK_FALSE(metrics.has("bad"));
  CHECK_FALSE(metrics.has("bad2"));
  CHECK(metrics.sum("nothing") == 0);
}

TEST_CASE("QuantilesComeFromWhatGrew") {
  const auto buckets = [](double a, double b, double all) {
    const std::string text = "h_bucket{m=\"x\",le=\"1\"} " + std::to_string(a) + "\nh_bucket{m=\"x\",le=\"2\"} " +
                             std::to_string(b) + "\nh_bucket{m=\"x\",le=\"+Inf\"} " + std::to_string(all) + "\n";
    return MetricsText::parse(text).buckets("h", {{"m", "x"}});
  };
  const auto before = buckets(100, 100, 100);
  CHECK(quantile(before, buckets(110, 110, 110), 0.5) == Approx(0.5));
  CHECK(quantile(before, buckets(105, 110, 110), 0.5) == Approx(1.0));
  CHECK(quantile(before, buckets(105, 110, 110), 0.99) == Approx(1.98));
  CHECK(quantile(before, buckets(100, 100, 110), 0.5) == Approx(2.0));  // beyond the last bound
  CHECK(std::isnan(quantile(before, before, 0.5)));
  CHECK(std::isnan(quantile({}, {}, 0.5)));
  CHECK(quantile(before, buckets(4, 4, 4), 0.5) == Approx(0.5));  // counters began anew
}

TEST_CASE("TopShowsWhatHappenedBetweenTwoLooks") {
  TopReading before{
      10,
      MetricsText::parse("process_cpu_seconds_total 1.0\n"
                         "nv_inference_request_success{model=\"iris\",version=\"1\"} 100\n"
                         "nv_inference_request_failure{model=\"iris\",version=\"1\"} 0\n"
                         "vllm:generation_tokens_total{model_name=\"chat\"} 10\n"
                         "jackdaw_revision_requests_total{namespace=\"prod\",service=\"rose\",revision=\"a\"} 5\n"),
      {}};
  TopReading now{12,
                 MetricsText::parse(
                     "process_cpu_seconds_total 2.0\nprocess_resident_memory_bytes 1048576\n"
                     "jackdaw_http_connections 3.0\n"
                     "nv_inference_request_success{model=\"iris\",version=\"1\"} 300\n"
                     "nv_inference_request_failure{model=\"iris\",version=\"1\"} 20\n"
                     "request_predict_seconds_bucket{model_name=\"iris\",le=\"0.005\"} 200\n"
                     "request_predict_seconds_bucket{model_name=\"iris\",le=\"+Inf\"} 200\n"
                     "vllm:generation_tokens_total{model_name=\"chat\"} 110\n"
                     "autoscaler_actual_pods{namespace_name=\"default\",service_name=\"chat\",revision_name=\"a\"} 1\n"
                     "autoscaler_actual_pods{namespace_name=\"default\",service_name=\"chat\",revision_name=\"b\"} 1\n"
                     "autoscaler_desired_pods{namespace_name=\"default\",service_name=\"chat\",revision_name=\"a\"} 3\n"
                     "autoscaler_desired_pods{namespace_name=\"default\",service_name=\"chat\",revision_name=\"b\"} 1\n"
                     "jackdaw_revision_requests_total{namespace=\"prod\",service=\"rose\",revision=\"a\"} 5\n"
                     "jackdaw_revision_requests_total{namespace=\"prod\",service=\"rose\",revision=\"b\"} 40\n"
                     "jackdaw_revision_failures_total{namespace=\"prod\",service=\"rose\",revision=\"b\"} 4\n"),
                 json(R"({"version":"9.9","uptime_seconds":200,"models":[
    {"name":"iris","namespace":"default","service":"iris","version":"1","state":"READY","reason":"","generates":false,"in_flight":1,"resident_bytes":1048576},
    {"name":"iris","namespace":"default","service":"iris","version":"2","state":"READY","reason":"","generates":false,"in_flight":1,"resident_bytes":1048576},
    {"name":"rose","namespace":"prod","service":"rose","version":"1","state":"UNAVAILABLE","reason":"no file","generates":false},
    {"name":"chat","namespace":"default","service":"chat","version":"1","state":"READY","reason":"","generates":true,"running":2,"waiting":1,"kv_cache_usage":0.5,"resident_bytes":99}]})")};
  const TopReport report = top_report("http://x", before, now, TopOrder::requests);
  CHECK(report.cpu_percent == Approx(50));
  CHECK(report.connections == 3);
  REQUIRE(report.rows.size() == 3);
  CHECK(report.rows[0].model == "iris");
  CHECK(report.rows[0].replicas == 2);
  CHECK(report.rows[0].requests_per_s == Approx(110));
  CHECK(report.rows[0].errors_per_s == Approx(10));
  CHECK(report.rows[0].p50_s == Approx(0.0025));
  CHECK(report.rows[0].in_flight == 2);
  CHECK(report.rows[1].model == "rose");
  CHECK(report.rows[1].requests_per_s == Approx(20));
  CHECK(report.rows[1].errors_per_s == Approx(2));
  CHECK(report.rows[2].tokens_per_s == Approx(50));
  CHECK(report.rows[2].in_flight == 3);
  CHECK(report.rows[2].replicas == 2);
  CHECK(report.rows[2].desired == 4);
  CHECK(report.rows[0].desired == -1);
  const std::string text = top_text(report, {});
  INFO(text);
  CHECK(text.starts_with(
      "jackdaw 9.9, up 3m20s, 130 request(s)/s, 3 connection(s), CPU 50%, memory 1.0 MiB, at http://x\n\n"));
  CHECK(text.find("UNAVAILABLE: no file") != std::string::npos);
  CHECK(text.find("50%") != std::string::npos);
  CHECK(text.find(" 2/4 ") != std::string::npos);
  const spec::Json object = json(top_json(report));
  CHECK(object.find("models")->items()[2].find("kv_cache_usage")->dump() == "0.5");
  CHECK(object.find("models")->items()[2].find("desired")->dump() == "4");
  CHECK(object.find("models")->items()[1].find("desired")->is_null());
  CHECK(object.find("models")->items()[1].find("p50_seconds")->is_null());
  CHECK(object.find("models")->items()[1].find("tokens_per_second")->is_null());
}

TEST_CASE("LogLinesReadLikeTheDaemonsOwn") {
  CHECK(
      log_line_text(
          R"({"ts":"2026-11-28T17:35:33.123Z","level":"info","msg":"model ready","model":"iris","load_ms":1.5,"path":"a b","x":""})",
          false) == "2026-11-28T17:35:33.123Z info    model ready model=iris load_ms=1.5 path=\"a b\" x=\"\"");
  CHECK(log_line_text("no json", false) == "no json");
}

TEST_CASE("DescribeShowsEverythingAboutAService") {
  const spec::Json object = json(R"({"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService",
    "metadata":{"name":"iris","namespace":"default","labels":{"team":"birds"},"creationTimestamp":"2026-11-28T17:35:33Z","generation":2,
      "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"},
      "managedFields":[{"manager":"jackdaw","operation":"Apply"},{"manager":"jackdaw","operation":"Update","subresource":"status"}]},
    "spec":{"predictor":{"model":{"storageUri":"/models/iris"}}},
    "status":{"url":"http://iris-default.example.com","conditions":[
      {"type":"Ready","status":"False","reason":"ModelLoadFailed","message":"no such file","lastTransitionTime":"2026-11-28T17:38:53Z"}],
      "components":{"predictor":{"latestCreatedRevision":"iris-predictor-00002","latestReadyRevision":"iris-predictor-00001",
        "latestRolledoutRevision":"iris-predictor-00001","traffic":[{"revisionName":"iris-predictor-00001","percent":100,"tag":"prev"}]}},
      "modelStatus":{"transitionStatus":"BlockedByFailedLoad","states":{"activeModelState":"Loaded","targetModelState":"FailedToLoad"},
        "copies":{"totalCopies":1,"failedCopies":1},
        "lastFailureInfo":{"reason":"ModelLoadFailed","message":"no such file","modelRevisionName":"iris-predictor-00002","time":"2026-11-28T17:38:53Z"}}}})");
  const std::vector<spec::Json> events{json(R"({"type":"Warning","reason":"ModelLoadFailed","message":"again","count":3,
    "lastTimestamp":"2026-11-28T17:38:53Z"})")};
  const std::string page = describe_page(object, events, {"spec.predictor.resources has no effect"},
                                         {.now = WallTime(std::chrono::seconds(1795887733))});
  INFO(page);
  for (const char* part :
       {"Name:         iris\n", "Labels:       team=birds\n", "(6m40s ago)", "Managers:     jackdaw (Apply)\n",
        "\nSpec\n  predictor:\n    model:\n      storageUri: /models/iris\n",
        "  TYPE    STATUS   SINCE   REASON            MESSAGE\n  Ready   False    3m20s   ModelLoadFailed   no such "
        "file\n",
        "  REVISION               TRAFFIC   TAG    NOTE\n  iris-predictor-00001      100%   prev   rolled out\n"
        "  iris-predictor-00002        0%          latest, not ready\n",
        "State:        Loaded, to be FailedToLoad\n", "1 in all, 1 failed",
        "ModelLoadFailed (3m20s ago), revision iris-predictor-00002",
        "\nNotes\n  spec.predictor.resources has no effect\n", "Warning   ModelLoadFailed   3       again"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(page.find("last-applied") == std::string::npos);
  const std::string bare = describe_page(json(R"({"kind":"X","apiVersion":"v1","metadata":{"name":"x"}})"), {}, {}, {});
  CHECK(bare.find("Conditions") == std::string::npos);
  CHECK(bare.find("\nEvents\n  none\n") != std::string::npos);
}
