// Manifests in the style of KServe's samples, loaded from tests/unit/spec/manifests as they are.
#include <filesystem>
#include <fstream>

#include "loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

const std::filesystem::path folder = std::filesystem::path(JACKDAW_SOURCE_DIR) / "tests/unit/spec/manifests";

LoadedConfig load_manifest(const std::string& name) {
  const std::vector<std::string> paths = {(folder / name).string()};
  return load_config(paths);
}

InferenceService only_service(const std::string& name) {
  LoadedConfig config = load_manifest(name);
  INFO(render_findings_text(config.findings));
  REQUIRE(config.ok());
  REQUIRE(config.services.size() == 1);
  return std::move(config.services.front());
}

struct Expected {
  const char* file;
  const char* name;
  const char* format;
  const char* runtime;
  Protocol protocol;
  const char* uri;
};

const Expected expected[] = {
    {"sklearn-model.yaml", "sklearn-iris", "sklearn", "kserve-sklearnserver", Protocol::v1,
     "gs://example-models/sklearn/1.0/model"},
    {"sklearn-legacy.yaml", "sklearn-old", "sklearn", "kserve-mlserver", Protocol::v2,
     "gs://example-models/sklearn/iris"},
    {"sklearn-v2.yaml", "sklearn-v2-iris", "sklearn", "kserve-sklearnserver", Protocol::v2,
     "gs://example-models/sklearn/1.0/model"},
    {"sklearn-mlserver.yaml", "sklearn-mlserver", "sklearn", "kserve-mlserver", Protocol::v2, "pvc://models/sklearn"},
    {"sklearn-proba.yaml", "income", "sklearn", "kserve-sklearnserver", Protocol::v1, "pvc://models/income"},
    {"xgboost-model.yaml", "xgboost-iris", "xgboost", "kserve-xgbserver", Protocol::v1,
     "file:///srv/models/xgboost/iris"},
    {"xgboost-legacy.yaml", "xgboost-legacy", "xgboost", "kserve-xgbserver", Protocol::v1, "./models/xgboost"},
    {"lightgbm-model.yaml", "lightgbm-iris", "lightgbm", "kserve-lgbserver", Protocol::v1, "/srv/models/lightgbm"},
    {"lightgbm-v2.yaml", "lightgbm-v2-iris", "lightgbm", "kserve-mlserver", Protocol::v2,
     "https://example.com/models/lightgbm.tar.gz"},
    {"scheduling.yaml", "placed", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/placed"},
    {"container-fields.yaml", "contained", "xgboost", "kserve-xgbserver", Protocol::v1, "/srv/models/contained"},
    {"autoscaling.yaml", "scaled", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/scaled"},
    {"autoscaling-keda.yaml", "keda", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/keda"},
    {"batcher.yaml", "batched", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/batched"},
    {"logger.yaml", "logged", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/logged"},
    {"storage-block.yaml", "stored", "sklearn", "kserve-sklearnserver", Protocol::v1,
     "s3://example-models/sklearn/model.joblib"},
    {"storage-uris-one.yaml", "one-source", "xgboost", "kserve-xgbserver", Protocol::v1, "s3://example-models/one"},
    {"list.json", "from-json", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/json"},
    {"stopped.yaml", "stopped", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/stopped"},
    {"canary-percent.yaml", "canary", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/canary"},
    {"canary-list.yaml", "canary", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/stable"},
    {"anchors.yaml", "anchored", "sklearn", "kserve-sklearnserver", Protocol::v1, "/srv/models/anchored"},
};

}  // namespace

TEST_CASE("RealManifestsLoadAsTheyAre") {
  for (const Expected& row : expected) {
    INFO(row.file);
    const InferenceService service = only_service(row.file);
    CHECK(*service.metadata.name == row.name);
    CHECK(*service.predictor.model_format == row.format);
    CHECK(service.runtime.name == row.runtime);
    CHECK(*service.predictor.protocol == row.protocol);
    CHECK(*service.predictor.storage_uri == row.uri);
    CHECK(service.stopped == (std::string_view(row.name) == "stopped"));
  }
}

TEST_CASE("RealManifestsKeepTheirSettings") {
  const InferenceService income = only_service("sklearn-proba.yaml");
  CHECK(*income.predictor.served_name == "income-v3");
  CHECK(*income.predictor.predict_proba);
  CHECK(*only_service("sklearn-mlserver.yaml").predictor.served_name == "iris");
  const InferenceService stopped = only_service("stopped.yaml");
  CHECK(*stopped.predictor.predict_fn == "decision_function");
  CHECK(*stopped.predictor.memory_limit_bytes == 256u << 20);
  CHECK(*only_service("sklearn-legacy.yaml").metadata.namespace_name == "team-a");
}

TEST_CASE("SchedulingFieldsAreReportedOneByOne") {
  const LoadedConfig config = load_manifest("scheduling.yaml");
  const auto said = reports(config);
  CHECK(said.size() == 11);  // one for each field of the pod, none for what is inside of them
  CHECK(config.ok());
}

TEST_CASE("AFileOfManyKindsGivesItsServices") {
  const LoadedConfig config = load_manifest("several-documents.yaml");
  CHECK(config.ok());
  REQUIRE(config.services.size() == 2);
  CHECK(*config.services[1].metadata.name == "second");
  CHECK(config.services[1].metadata.name.place.line == 33);
  CHECK(reports(config).size() == 4);
}

TEST_CASE("KindsForLaterAreReportedNotRefused") {
  const LoadedConfig config = load_manifest("left-out-kinds.yaml");
  CHECK(config.ok());
  CHECK(config.services.empty());
  CHECK(reports(config).size() == 4);
}

TEST_CASE("DaemonManifestLoadsWhole") {
  const LoadedConfig config = load_manifest("daemon.yaml");
  INFO(render_findings_text(config.findings));
  CHECK(config.ok());
  CHECK(*config.daemon.name == "edge");
  CHECK(config.daemon.listen.size() == 2);
  CHECK(*config.daemon.storage.map.at("s3://") == (folder / "buckets").string());
  CHECK(*config.daemon.limits.connections_max == 500);
  CHECK(reports(config).empty());
  CHECK(*config.daemon.memory_budget == std::uint64_t{2} << 30);
}

TEST_CASE("TransformersRunWhereTheAnnotationSays") {
  const LoadedConfig config = load_manifest("transformers.yaml");
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 4);
  REQUIRE(config.services[0].transformer.has_value());
  CHECK(*config.services[0].transformer->url == "http://127.0.0.1:9000/base");
  CHECK(*config.services[0].transformer->timeout == std::chrono::seconds(20));
  REQUIRE(config.services[1].transformer.has_value());
  CHECK(*config.services[1].transformer->url == "https://[::1]:9001");
  CHECK(*config.services[1].transformer->timeout == std::chrono::seconds(300));
  CHECK_FALSE(config.services[2].transformer.has_value());
  REQUIRE(config.services[3].transformer.has_value());
  const auto said = reports(config);
  REQUIRE(said.size() == 4);
  CHECK(said[3].find("'jackdaw.dev/transformer-url' has no effect here") != std::string::npos);
  CHECK(said[0].find("'jackdaw.dev/transformer-url' has no effect here: the service has no transformer") !=
        std::string::npos);
  CHECK(said[1].find("'minReplicas' has no effect here: jackdaw does not start transformers") != std::string::npos);
  CHECK(said[2].find("'logger' has no effect here") != std::string::npos);
}

TEST_CASE("TransformersThatCannotBeAreSaidToBe") {
  const auto said = errors(load_manifest("bad-transformers.yaml"));
  const char* const expected_words[] = {
      "must be http://host[:port][/path] or https://…, not 'ftp://t:1'",
      "not 'http://t:99999'",
      "not 'http://user@t'",
      "not 'http://t/?q'",
      "not 'http://'",
      "timeout must be from 1 to 86400 seconds, not 0",
      "the transformer of a language model",
      "'batcher': the transformer would get requests one by one",
      "'transformer-container' as an image",
  };
  REQUIRE(said.size() == std::size(expected_words));
  for (std::size_t i = 0; i < said.size(); ++i) {
    INFO(said[i]);
    CHECK(said[i].find(expected_words[i]) != std::string::npos);
  }
}

TEST_CASE("EachRefusedManifestHasOneErrorThatNamesItsReason") {
  const std::pair<const char*, const char*> rows[] = {
      {"refused-transformer.yaml",
       "'transformer' as an image, which jackdaw does not run; the answer would miss its pre- "
       "and post-processing. Start it yourself, and say where with the annotation "
       "jackdaw.dev/transformer-url: http://host:port"},
      {"refused-collocated-transformer.yaml", "'transformer-container'"},
      {"refused-explainer.yaml", "'explainer': its answers would be missing; remove it: TreeSHAP is built in"},
      {"refused-custom-predictor.yaml", "container image"},
      {"refused-storage-uris.yaml", "storageUris with 2 sources"},
      {"refused-tensorflow.yaml", "model format 'tensorflow'"},
      {"refused-grpc.yaml", "protocolVersion grpc-v2"},
  };
  for (const auto& [file, reason] : rows) {
    const LoadedConfig config = load_manifest(file);
    INFO(file << "\n" << render_findings_text(config.findings));
    const auto said = errors(config);
    REQUIRE(said.size() == 1);
    CHECK(said[0].find("not supported yet by this version") != std::string::npos);
    CHECK(said[0].find(reason) != std::string::npos);
    CHECK(config.services.empty());
  }
}
