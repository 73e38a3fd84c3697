// Contributions of features against the libraries' own: tests/data/contributions, made from the committed models.
#include <set>

#include "sklearn_harness.h"
#include "src/predict/lightgbm.h"
#include "src/predict/sklearn/explainable.h"
#include "src/predict/xgboost.h"
#include "tests/unit/predict/engine_requests.h"

namespace jackdaw::predict {
namespace {

using namespace oracle;
using simdjson::dom::element;

// The recorded rows of a case of another cases.json, by its name.
class Cases {
 public:
  explicit Cases(const std::string& path) : root_(parser_.load(data_path(path))) {}
  element named(std::string_view name) const {
    const simdjson::dom::array cases = root_["cases"].get_array().value();
    for (element one : cases) {
      if (one["name"].get_string().value() == name) return one;
    }
    FAIL("no case " << name);
    return {};
  }

 private:
  simdjson::dom::parser parser_;
  element root_;
};

// Largest difference in units of the largest number that is added up.
template <typename T>
double worst(const std::vector<T>& got, const std::vector<double>& want, std::size_t width) {
  REQUIRE(got.size() == want.size());
  double out = 0.0;
  for (std::size_t begin = 0; begin < got.size(); begin += width) {
    double scale = 1e-30, difference = 0.0;
    for (std::size_t i = begin; i < begin + width; ++i) {
      scale = std::max(scale, std::abs(want[i]));
      difference = std::max(difference, std::abs(static_cast<double>(got[i]) - want[i]));
    }
    out = std::max(out, difference / scale);
  }
  return out;
}

XgboostScorer xgboost_scorer(const std::string& path) {
  const std::string bytes = read_file(data_path(path));
  auto model = formats::read_xgboost(as_bytes(bytes));
  if (!model) FAIL(path << ": " << model.error().text());
  auto scorer = XgboostScorer::build(*model);
  if (!scorer) FAIL(path << ": " << scorer.error().text());
  return std::move(*scorer);
}

std::vector<float> xgboost_contributions(const XgboostScorer& scorer, element one) {
  const auto data = numbers<float>(one["data"]);
  const auto rows = static_cast<std::size_t>(one["rows"].get_uint64().value());
  std::vector<float> out(rows * scorer.n_groups() * (scorer.n_features() + 1));
  auto done = scorer.contributions(data.data(), rows, scorer.n_features(), out.data());
  if (!done) FAIL(done.error().text());
  return out;
}

}  // namespace

TEST_CASE("XgboostContributionsEqualTheLibrarys", "[contributions]") {
  const Cases models("xgboost/3.2/cases.json");
  std::size_t compared = 0;
  for_each_case("contributions/xgboost.json", [&](element one) {
    const std::string name = text(one["name"]);
    INFO(name);
    if (one["error"].error() == simdjson::SUCCESS) return;
    const element model = models.named(name);
    const simdjson::dom::array files = model["files"].get_array().value();
    for (element file : files) {
      const XgboostScorer scorer = xgboost_scorer("xgboost/3.2/" + text(file));
      CHECK(worst(xgboost_contributions(scorer, model), numbers<double>(one["contributions"]["data"]),
                  scorer.n_features() + 1) < 2e-6);
    }
    ++compared;
  });
  CHECK(compared >= 50);
}

// Every container of every version: the legacy binary one has its covers in each node's statistics.
TEST_CASE("XgboostContributionsAddUpToTheMargins", "[contributions]") {
  std::size_t added = 0;
  for (const std::string version : {"1.7", "2.1", "3.2"}) {
    for_each_case("xgboost/" + version + "/cases.json", [&](element one) {
      const simdjson::dom::array files = one["files"].get_array().value();
      for (element file : files) {
        INFO(version << " " << text(file));
        const XgboostScorer scorer = xgboost_scorer("xgboost/" + version + "/" + text(file));
        const auto margins = numbers<double>(one["margin"]["data"]);
        const auto data = numbers<float>(one["data"]);
        const std::size_t width = scorer.n_features() + 1, rows = margins.size() / scorer.n_groups();
        std::vector<float> out(margins.size() * width);
        auto done = scorer.contributions(data.data(), rows, scorer.n_features(), out.data());
        if (!done) {
          CHECK(done.error().code == Code::unsupported);  // Multi-output trees keep no hessians.
          CHECK(text(one["name"]).find("vector") != std::string::npos);
          continue;
        }
        for (std::size_t i = 0; i < margins.size(); ++i) {
          double sum = 0.0;
          for (std::size_t c = 0; c < width; ++c) sum += static_cast<double>(out[i * width + c]);
          CHECK(sum == Approx(margins[i]).epsilon(1e-5).margin(1e-5));
        }
        ++added;
      }
    });
  }
  CHECK(added >= 150);
}

TEST_CASE("LightgbmContributionsEqualTheLibrarys", "[contributions]") {
  const Cases models("lightgbm/4.6/cases.json");
  std::size_t compared = 0;
  double most = 0.0;
  for_each_case("contributions/lightgbm.json", [&](element one) {
    const std::string name = text(one["name"]);
    INFO(name);
    const element model = models.named(name);
    auto read = formats::read_lightgbm(read_file(data_path("lightgbm/4.6/" + text(model["file"]))));
    REQUIRE(read.has_value());
    auto scorer = LightgbmScorer::build(std::move(*read));
    REQUIRE(scorer.has_value());
    auto data = numbers<double>(model["data"]);
    const std::size_t rows = data.size() / scorer->n_features(), width = scorer->n_features() + 1;
    for (std::size_t row = 0; row < rows; ++row) scorer->prepare_row(data.data() + row * scorer->n_features());
    std::vector<double> out(rows * scorer->n_outputs() * width);
    auto done = scorer->contributions(data.data(), rows, out.data());
    element refused;
    if (one["error"].get(refused) == simdjson::SUCCESS) {
      REQUIRE(!done.has_value());
      CHECK(text(refused) == "LightGBMError: " + done.error().message);
      return;
    }
    REQUIRE(done.has_value());
    most = std::max(most, worst(out, numbers<double>(one["contributions"]["data"]), width));
    CHECK(worst(out, numbers<double>(one["contributions"]["data"]), width) < 1e-12);
    ++compared;
  });
  CHECK(compared >= 40);
}

TEST_CASE("SklearnContributionsEqualShaps", "[contributions]") {
  std::size_t compared = 0;
  for_each_case("contributions/sklearn.json", [&](element one) {
    INFO(text(one["name"]));
    auto engine = load(spec_of("sklearn", data_path("sklearn/1.5.2/" + text(one["file"]))));
    const auto wanted = numbers<double>(one["contributions"]["data"]);
    std::vector<std::int64_t> shape;
    for (double d : numbers<double>(one["data"]["shape"])) shape.push_back(static_cast<std::int64_t>(d));
    auto request =
        matrix_request(tensor_of<double>(DType::fp64, shape, numbers<double>(one["data"]["data"])), {"contributions"});
    const auto outputs = answer(*engine, request);
    REQUIRE(outputs.size() == 1);
    CHECK(outputs[0].name == "contributions");
    CHECK(outputs[0].dtype == DType::fp64);
    CHECK(outputs[0].shape.back() == shape[1] + 1);
    // shap gives both classes of two where scikit-learn's trees have them, as we do; boosted ones have one raw score.
    CHECK(worst(values_of<double>(outputs[0]), wanted, static_cast<std::size_t>(shape[1]) + 1) < 1e-10);
    ++compared;
  });
  CHECK(compared >= 20);
}

namespace {

// What a model's contributions add up to, as scikit-learn's own methods say it; empty: none of them does.
std::vector<double> raw_answers(const Estimator& estimator, const Frame& x) {
  for (const Method method : {Method::decision_function, Method::predict_proba, Method::predict}) {
    if (!estimator.supports(method)) continue;
    auto got = estimator.run(method, x);
    if (!got) return {};
    std::vector<double> out;
    if (got->arrays.size() != 1 || got->arrays[0].dtype != DType::fp64) return {};
    return {got->arrays[0].as<double>(), got->arrays[0].as<double>() + got->arrays[0].element_count()};
  }
  return {};
}

}  // namespace

TEST_CASE("SklearnContributionsAddUpToTheRawAnswers", "[contributions]") {
  std::size_t added = 0;
  std::set<std::string> classes;
  for (const testing::SklearnCase& one : testing::read_cases()) {
    auto model = testing::load_model(one.file);
    if (!model || explainable(*model->estimator) == nullptr) continue;
    const Estimator& estimator = *model->estimator;
    for (const testing::CaseInput& input : one.inputs) {
      INFO(one.version << " " << one.name << " " << input.form);
      auto explained = explainable(estimator)->explain(input.frame);
      auto predicted = estimator.run(Method::predict, input.frame);
      CHECK(explained.has_value() == predicted.has_value());
      if (!explained) continue;
      classes.insert(one.class_name);
      const std::vector<double> raw = raw_answers(estimator, input.frame);
      // Exponential links and path lengths are another scale than what the methods answer.
      if (raw.size() != explained->rows * explained->outputs || estimator.is_outlier_detector()) continue;
      if (one.name.find("poisson") != std::string::npos || one.name.find("gamma") != std::string::npos) continue;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        double sum = 0.0;
        for (std::size_t c = 0; c <= explained->features; ++c)
          sum += explained->values[i * (explained->features + 1) + c];
        CHECK(sum == Approx(raw[i]).epsilon(1e-9).margin(1e-9));
      }
      ++added;
    }
  }
  CHECK(added >= 100);
  for (const char* name :
       {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor",
        "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
        "GradientBoostingClassifier", "GradientBoostingRegressor", "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor", "IsolationForest", "Pipeline"}) {
    CHECK(classes.contains(name));
  }
}

TEST_CASE("ExplainAnswersWithContributionsAndThePrediction", "[contributions][engine]") {
  auto engine = load(spec_of("xgboost", data_path("xgboost/3.2/softprob.json")));
  auto request = matrix_request(tensor_of<float>(DType::fp32, {2, 6}, std::vector<float>(12, 0.5f)));
  const std::uint64_t predict_ns = engine->estimate_ns(request);
  request.verb = engine::Verb::explain;
  CHECK(engine->estimate_ns(request) > 2 * predict_ns);
  const auto outputs = answer(*engine, request);
  REQUIRE(outputs.size() == 2);
  CHECK(outputs[0].name == "contributions");
  CHECK(outputs[0].dtype == DType::fp32);
  CHECK(outputs[0].shape == std::vector<std::int64_t>{2, 3, 7});
  CHECK(outputs[1].name == "output-0");

  request.verb = engine::Verb::predict;
  request.outputs = {"output-0", "contributions"};
  const auto mixed = answer(*engine, request);
  REQUIRE(mixed.size() == 2);
  CHECK(mixed[0].name == "output-0");
  CHECK(mixed[1].name == "contributions");
  request.outputs = {"contributions", "nothing"};
  CHECK(refusal(*engine, request).message == "Unexpected inference output 'nothing' for model 'm'");
}

TEST_CASE("ModelsWithoutTreesSayWhatCanBeExplained", "[contributions][engine]") {
  auto engine = load(spec_of("sklearn", data_path("oip/models/iris-svc")));
  auto request = matrix_request(tensor_of<double>(DType::fp64, {1, 4}, {6.8, 2.8, 4.8, 1.4}));
  request.verb = engine::Verb::explain;
  const Error error = refusal(*engine, request);
  CHECK(error.code == Code::unsupported);
  CHECK(error.message.starts_with("'SVC' cannot be explained here. Contributions (TreeSHAP) are built in for XGBoost"));
}

TEST_CASE("GblinearContributionsAreItsTerms", "[contributions]") {
  formats::XgboostModel model;
  model.objective = "reg:squarederror";
  model.booster = formats::XgboostBooster::gblinear;
  model.num_feature = 2;
  model.base_score = {0.5f};
  model.linear_weights = {2.0f, -3.0f, 0.25f};
  const auto scorer = XgboostScorer::build(model);
  REQUIRE(scorer.has_value());
  const float rows[] = {4.0f, std::nanf("")};
  float out[3];
  REQUIRE(scorer->contributions(rows, 1, 2, out).has_value());
  CHECK(out[0] == 8.0f);
  CHECK(out[1] == 0.0f);
  CHECK(out[2] == 0.75f);
}

}  // namespace jackdaw::predict
