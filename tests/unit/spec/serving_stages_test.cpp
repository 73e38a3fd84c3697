// The stages around a model: KServe's batcher and logger blocks, and the annotations that go with them.
#include "jackdaw/spec/serving_stages.h"

#include <algorithm>

#include "tests/unit/spec/loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

using std::chrono::milliseconds;

const std::string model = "    model: {modelFormat: {name: sklearn}, storageUri: /m}";
const std::string mlserver_model =
    "    model:\n      modelFormat: {name: sklearn}\n      protocolVersion: v2\n      runtime: kserve-mlserver\n"
    "      storageUri: /m\n";
const std::string language_model = "    model: {modelFormat: {name: huggingface}, storageUri: /m}";

ServingStages stages_of(const std::string& predictor, const std::string& metadata = "{name: iris}") {
  const auto config = load_text(service_text(predictor, metadata));
  INFO(render_findings_text(config.findings));
  REQUIRE(errors(config).empty());
  REQUIRE(config.services.size() == 1);
  return config.services[0].predictor.stages;
}

std::string annotated(const std::string& annotations) {
  return "{name: iris, annotations: {" + annotations + "}}";
}

std::string annotation_error(const std::string& annotations) {
  return only_error(service_text(model, annotated(annotations)));
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("WithoutWordsThereAreNoStages") {
  const auto stages = stages_of(model);
  CHECK(*stages.batching.kind == BatchingKind::none);
  CHECK(*stages.cache.bytes == 0);
  CHECK(*stages.warm_up.kind == WarmUpKind::none);
  CHECK_FALSE(stages.logger.enabled());
}

TEST_CASE("KServesBatcherIsReadWithItsDefaults") {
  const auto given = stages_of("    batcher: {maxBatchSize: 8, maxLatency: 200}\n" + model).batching;
  CHECK(*given.kind == BatchingKind::kserve);
  CHECK(*given.max_batch_size == 8);
  CHECK(*given.max_delay == milliseconds(200));
  for (const std::string_view block : {"{}", "{maxBatchSize: 0, maxLatency: -1}"}) {
    const auto defaults = stages_of(fmt::format("    batcher: {}\n{}", block, model)).batching;
    CHECK(*defaults.max_batch_size == 32);
    CHECK(*defaults.max_delay == milliseconds(5000));
  }
  CHECK(holds(only_error(service_text("    batcher: {maxLatency: 4000000}\n" + model)), "at most 3600000"));
}

TEST_CASE("TheBatchersTimeoutIsReported") {
  const auto config = load_text(service_text("    batcher: {timeout: 60}\n" + model));
  CHECK(errors(config).empty());
  REQUIRE(reports(config).size() == 1);
  CHECK(holds(reports(config)[0], "maxLatency bounds the wait"));
}

TEST_CASE("DynamicBatchingIsReadFromAnnotations") {
  const auto batching =
      stages_of(model, annotated(R"(jackdaw.dev/dynamic-batching: "true", jackdaw.dev/max-batch-size: "16",
      jackdaw.dev/max-queue-delay: 500us, jackdaw.dev/preferred-batch-size: "4, 8", jackdaw.dev/batch-instances: "2",
      jackdaw.dev/queue-size: "100", jackdaw.dev/queue-timeout: 1s, jackdaw.dev/queue-timeout-action: delay,
      jackdaw.dev/priority-levels: "3", jackdaw.dev/default-priority-level: "2")"))
          .batching;
  CHECK(*batching.kind == BatchingKind::dynamic);
  CHECK(*batching.max_batch_size == 16);
  CHECK(*batching.max_delay == std::chrono::microseconds(500));
  CHECK(*batching.preferred_sizes == std::vector<std::int64_t>{4, 8});
  CHECK(*batching.instances == 2);
  CHECK(*batching.queue_size == 100);
  CHECK(*batching.queue_timeout == std::chrono::seconds(1));
  CHECK(*batching.timeout_delays);
  CHECK(*batching.priority_levels == 3);
  CHECK(*batching.default_priority == 2);
  // One of its settings is enough, and "false" is an answer too.
  CHECK(*stages_of(model, annotated(R"(jackdaw.dev/max-batch-size: "4")")).batching.kind == BatchingKind::dynamic);
  CHECK(*stages_of(model, annotated(R"(jackdaw.dev/dynamic-batching: "false")")).batching.kind == BatchingKind::none);
}

TEST_CASE("BadBatchingSettingsSayWhatIsWrong") {
  CHECK(holds(annotation_error(R"(jackdaw.dev/max-batch-size: "0")"), "'0' is not a whole number from 1"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/max-batch-size: many)"), "'many'"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/preferred-batch-size: "4,64")"), "larger than max-batch-size, 32"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/preferred-batch-size: "")"), "a list of batch sizes"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/queue-timeout-action: rejct)"), "did you mean 'reject'"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/default-priority-level: "2")"), "none of the 1 priority-levels"));
  CHECK(holds(annotation_error(R"(jackdaw.dev/dynamic-batching: "yes")"), "\"true\" or \"false\""));
  CHECK(holds(only_error(service_text("    batcher: {}\n" + model, annotated(R"(jackdaw.dev/max-batch-size: "4")"))),
              "remove one of them"));
}

TEST_CASE("MLServersAdaptiveBatchingIsReadFromItsVariables") {
  const auto with = [](std::string_view size, std::string_view time) {
    return stages_of(mlserver_model + fmt::format("      env:\n      - {{name: MLSERVER_MODEL_MAX_BATCH_SIZE, value: "
                                                  "\"{}\"}}\n      - {{name: MLSERVER_MODEL_MAX_BATCH_TIME, value: "
                                                  "\"{}\"}}\n",
                                                  size, time))
        .batching;
  };
  CHECK(*with("10", "0.25").kind == BatchingKind::dynamic);
  CHECK(*with("10", "0.25").max_batch_size == 10);
  CHECK(*with("10", "0.25").max_delay == milliseconds(250));
  CHECK(*with("1", "0.25").kind == BatchingKind::none);
  CHECK(*with("10", "0").kind == BatchingKind::none);
}

TEST_CASE("CacheAndWarmUpAreReadFromAnnotations") {
  const auto stages = stages_of(
      model, annotated("jackdaw.dev/response-cache: 64Mi, jackdaw.dev/response-cache-ttl: 5m, jackdaw.dev/warm-up: "
                       "\"random:8\""));
  CHECK(*stages.cache.bytes == 64u << 20);
  CHECK(*stages.cache.ttl == std::chrono::minutes(5));
  CHECK(*stages.warm_up.kind == WarmUpKind::random);
  CHECK(stages.warm_up.rows == 8);
  const auto plain = stages_of(model, annotated("jackdaw.dev/warm-up: \"3\"")).warm_up;
  CHECK(*plain.kind == WarmUpKind::zeros);
  CHECK(plain.rows == 3);
  const auto file = stages_of(model, annotated("jackdaw.dev/warm-up: \"file:bodies/one.json\"")).warm_up;
  CHECK(*file.kind == WarmUpKind::file);
  CHECK(file.file == "bodies/one.json");
  CHECK(*stages_of(model, annotated("jackdaw.dev/warm-up: \"0\"")).warm_up.kind == WarmUpKind::none);
  CHECK(holds(annotation_error("jackdaw.dev/warm-up: \"randm:1\""), "did you mean 'random'"));
  CHECK(holds(annotation_error("jackdaw.dev/response-cache: lots"), "jackdaw.dev/response-cache"));
}

TEST_CASE("TheLoggerIsReadAsKServeHasIt") {
  const auto logger = stages_of(
                          "    logger: {url: 'http://sink/x', mode: response, metadataHeaders: [X-User],\n"
                          "      metadataAnnotations: [team]}\n" +
                          model)
                          .logger;
  CHECK(*logger.url == "http://sink/x");
  CHECK_FALSE(logger.takes_requests());
  CHECK(logger.takes_responses());
  CHECK(logger.metadata_headers == std::vector<std::string>{"X-User"});
  CHECK(logger.metadata_annotations == std::vector<std::string>{"team"});
  CHECK(stages_of("    logger: {url: 'file:///var/log/x.jsonl'}\n" + model).logger.enabled());
  const auto file = stages_of(model, annotated("jackdaw.dev/logger-file: /tmp/x.jsonl")).logger;
  CHECK(*file.file == "/tmp/x.jsonl");
  CHECK(file.takes_requests());
  CHECK(
      only_error(service_text("    logger: {url: 'http://x', mode: requests}\n" + model)).find("invalid logger type") !=
      std::string::npos);
}

TEST_CASE("BlobStorageOfTheLoggerIsReportedByName") {
  const auto config = load_text(service_text(
      "    logger: {url: 's3://bucket/logs', batchSize: 10, storage: {key: k}, marshallerUrl: 'http://m'}\n" + model));
  CHECK(errors(config).empty());
  const auto said = reports(config);
  REQUIRE(said.size() == 4);
  CHECK(std::count_if(said.begin(), said.end(), [](const auto& line) { return holds(line, "blob storage"); }) == 4);
  CHECK_FALSE(config.services[0].predictor.stages.logger.enabled());
}

TEST_CASE("LanguageModelsHaveALoggerAndAWarmUpOnly") {
  const auto config = load_text(service_text("    batcher: {}\n    logger: {url: 'http://sink'}\n" + language_model,
                                             annotated("jackdaw.dev/response-cache: 1Mi, jackdaw.dev/warm-up: \"1\"")));
  INFO(render_findings_text(config.findings));
  CHECK(errors(config).empty());
  const auto said = reports(config);
  REQUIRE(said.size() == 2);
  REQUIRE(config.services.size() == 1);
  const auto& stages = config.services[0].predictor.stages;
  CHECK(*stages.batching.kind == BatchingKind::none);
  CHECK(*stages.cache.bytes == 0);
  CHECK(*stages.warm_up.kind == WarmUpKind::zeros);
  CHECK(stages.logger.enabled());
}
