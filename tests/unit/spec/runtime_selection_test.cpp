#include "jackdaw/spec/runtime_selection.h"

#include <catch2/catch.hpp>
#include <string>

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

std::string chosen(std::string_view format, std::string_view protocol = "", std::string_view version = "",
                   std::string_view runtime = "") {
  const bool v2 = protocol == "v2";
  const auto selected = select_runtime({format, version, runtime, v2 ? Protocol::v2 : Protocol::v1, !protocol.empty()});
  if (!selected) return selected.error().message;
  return selected->name + (selected->dialect == RuntimeDialect::mlserver ? " (mlserver)" : " (kserve)");
}

}  // namespace

TEST_CASE("WithoutProtocolKServesOwnServersAreChosen") {
  CHECK(chosen("sklearn") == "kserve-sklearnserver (kserve)");
  CHECK(chosen("xgboost") == "kserve-xgbserver (kserve)");
  CHECK(chosen("lightgbm", "v1") == "kserve-lgbserver (kserve)");
}

TEST_CASE("ProtocolV2PrefersMlserverByPriority") {
  CHECK(chosen("sklearn", "v2") == "kserve-mlserver (mlserver)");
  CHECK(chosen("xgboost", "v2") == "kserve-mlserver (mlserver)");
  CHECK(chosen("lightgbm", "v2") == "kserve-mlserver (mlserver)");
}

TEST_CASE("AFormatVersionNarrowsTheChoice") {
  CHECK(chosen("sklearn", "v2", "0") == "kserve-mlserver (mlserver)");
  CHECK(chosen("sklearn", "v1", "1") == "kserve-sklearnserver (kserve)");
  CHECK(chosen("sklearn", "v1", "0") ==
        "NoSupportingRuntime: no runtime found to support predictor with model type: {sklearn 0} and protocol v1; "
        "versions with a runtime for sklearn over v1: 1, or leave the version out");
  CHECK(chosen("lightgbm", "v2", "3") == "kserve-mlserver (mlserver)");
  CHECK(chosen("xgboost", "v1", "1").find("NoSupportingRuntime") == 0);
}

TEST_CASE("ANamedRuntimeIsTakenAndCheckedAsKServeDoes") {
  CHECK(chosen("sklearn", "v2", "", "kserve-sklearnserver") == "kserve-sklearnserver (kserve)");
  CHECK(chosen("sklearn", "", "", "kserve-mlserver") == "kserve-mlserver (mlserver)");
  CHECK(chosen("xgboost", "v1", "", "kserve-predictiveserver") == "kserve-predictiveserver (kserve)");
  CHECK(chosen("sklearn", "v1", "", "kserve-mlserver") ==
        "NoSupportingRuntime: specified runtime kserve-mlserver does not support specified protocol version");
  CHECK(chosen("xgboost", "", "", "kserve-sklearnserver") ==
        "NoSupportingRuntime: specified runtime kserve-sklearnserver does not support specified framework/version");
  CHECK(chosen("sklearn", "", "7", "kserve-sklearnserver").find("framework/version") != std::string::npos);
  CHECK(
      chosen("sklearn", "", "", "kserve-mlsever") ==
      "RuntimeNotRecognized: no ServingRuntimes or ClusterServingRuntimes with the name: kserve-mlsever; did you mean "
      "'kserve-mlserver'?");
}
