// Server-side apply and metadata.managedFields as Kubernetes does them: the cases of its documentation ("Server-Side
// Apply", kubernetes.io) on KServe's objects, and where fieldsV1 is what the API server writes.
#include <catch2/catch.hpp>
#include <chrono>

#include "jackdaw/spec/patch.h"
#include "src/spec/field_set.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

constexpr std::string_view version = "serving.kserve.io/v1beta1";

Json yaml(std::string_view text) {
  auto documents = parse_yaml(text, "t.yaml");
  if (!documents) FAIL(documents.error().text());
  return documents->empty() ? Json() : Json::of(documents->front()->root);
}

WallTime at(int seconds) {
  return WallTime(std::chrono::seconds(1'800'000'000 + seconds));  // 2027-01-15T08:00:00Z
}

FieldManager applier(std::string name, std::string subresource = "") {
  return {std::move(name), "Apply", std::string(version), std::move(subresource)};
}
FieldManager updater(std::string name, std::string subresource = "") {
  return {std::move(name), "Update", std::string(version), std::move(subresource)};
}

Applied applied(const Json& live, std::string_view wanted, const FieldManager& manager, bool force = false,
                int seconds = 0) {
  auto result = apply_patch(live, yaml(wanted), manager, force, at(seconds));
  if (!result) FAIL(result.error().text());
  return std::move(*result);
}

// Applies without conflicts.
Json apply(const Json& live, std::string_view wanted, std::string name = "a", bool force = false, int seconds = 0) {
  Applied result = applied(live, wanted, applier(std::move(name)), force, seconds);
  for (const auto& conflict : result.conflicts) FAIL("conflict with " << conflict.owner << " at " << conflict.path);
  return std::move(result.object);
}

std::vector<std::string> conflicts(const Json& live, std::string_view wanted, std::string name) {
  const Applied result = applied(live, wanted, applier(std::move(name)));
  CHECK(result.object == live);
  std::vector<std::string> out;
  for (const auto& conflict : result.conflicts) out.push_back(conflict.manager + " " + conflict.path);
  return out;
}

Json created(std::string_view text, std::string name = "kubectl-create") {
  return with_updated_managers({}, yaml(text), updater(std::move(name)), at(0));
}
Json updated(const Json& before, std::string_view patch, std::string name, int seconds = 0, std::string sub = "") {
  return with_updated_managers(before, merge_patch(before, yaml(patch)), updater(std::move(name), std::move(sub)),
                               at(seconds));
}

const Json* entry_of(const Json& object, std::string_view manager, std::string_view operation = "") {
  const Json* entries = object.find_path({"metadata", "managedFields"});
  if (entries == nullptr) return nullptr;
  for (const Json& entry : entries->items()) {
    const bool same = entry.find("manager")->as_text() == manager;
    if (same && (operation.empty() || entry.find("operation")->as_text() == operation)) return &entry;
  }
  return nullptr;
}
std::string fields(const Json& object, std::string_view manager, std::string_view operation = "") {
  const Json* entry = entry_of(object, manager, operation);
  return entry == nullptr ? "none" : entry->find("fieldsV1")->dump();
}
std::string spec_of(const Json& object) {
  return object.find("spec") == nullptr ? "none" : object.find("spec")->dump();
}

constexpr std::string_view iris = R"(
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: default, labels: {app: iris}}
spec: {predictor: {minReplicas: 1, model: {storageUri: "gs://a"}}}
)";

}  // namespace

TEST_CASE("ApplyCreatesAnObjectAndRecordsItsLeaves") {
  const Json object = apply({}, iris, "kubectl");
  CHECK(spec_of(object) == R"({"predictor":{"minReplicas":1,"model":{"storageUri":"gs://a"}}})");
  CHECK(object.find_path({"metadata", "managedFields"})->dump() ==
        R"([{"manager":"kubectl","operation":"Apply","apiVersion":"serving.kserve.io/v1beta1",)"
        R"("time":"2027-01-15T08:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:app":{}}},)"
        R"("f:spec":{"f:predictor":{"f:minReplicas":{},"f:model":{"f:storageUri":{}}}}}}])");
}

TEST_CASE("CreateRecordsMapsAndListsToo") {
  const Json object = created(std::string(iris) + "status: {url: x}");
  const Json* entry = entry_of(object, "kubectl-create");
  REQUIRE(entry != nullptr);
  CHECK(entry->find("operation")->as_text() == "Update");
  CHECK(entry->find("fieldsV1")->dump() ==
        R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},)"
        R"("f:spec":{".":{},"f:predictor":{".":{},"f:minReplicas":{},"f:model":{".":{},"f:storageUri":{}}}}})");
}

TEST_CASE("ApplyTwiceChangesNothing") {
  const Json first = apply({}, iris, "a", false, 0);
  const Json second = apply(first, iris, "a", false, 60);
  CHECK(second == first);
  CHECK(second.dump() == first.dump());
}

TEST_CASE("ApplyRemovesWhatItsManagerNamesNoMore") {
  const Json first = apply({}, "{metadata: {labels: {a: x, b: yy}}, spec: {p: {min: 1, max: 2}, q: {r: 1}}}");
  const Json second = apply(first, "{metadata: {labels: {a: x}}, spec: {p: {min: 1}}}", "a", false, 5);
  CHECK(spec_of(second) == R"({"p":{"min":1}})");
  CHECK(second.find_path({"metadata", "labels"})->dump() == R"({"a":"x"})");
  CHECK(fields(second, "a") == R"({"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:p":{"f:min":{}}}})");
  CHECK(entry_of(second, "a")->find("time")->as_text() == "2027-01-15T08:00:05Z");
  const Json third = apply(second, "{metadata: {name: x}}");
  CHECK(spec_of(third) == "none");
  CHECK(third.find_path({"metadata", "labels"}) == nullptr);
  CHECK(third.find_path({"metadata", "managedFields"}) == nullptr);
  CHECK(third.find("metadata") != nullptr);
}

TEST_CASE("ApplyKeepsWhatOthersOwnOrNobodyNamed") {
  const Json first = apply({}, "{spec: {min: 1, max: 2}}", "a");
  const Json shared = apply(first, "{spec: {max: 2}}", "b");  // equal: no conflict
  CHECK(fields(shared, "b") == R"({"f:spec":{"f:max":{}}})");
  const Json without = apply(shared, "{spec: {min: 1}}", "a");
  CHECK(spec_of(without) == R"({"min":1,"max":2})");
  CHECK(fields(without, "a") == R"({"f:spec":{"f:min":{}}})");
  const Json gone = apply(without, "{metadata: {name: x}}", "b");
  CHECK(spec_of(gone) == R"({"min":1})");
}

TEST_CASE("MapsAndListsThatApplyEmptiesGoUnlessSomebodyOwnsThem") {
  Json live = apply({}, "{spec: {env: [{name: A}], limits: {b: 1}, x: 1}}", "a");
  live = apply(live, "{spec: {env: [{name: B}], limits: {c: 1}}}", "b");
  live = apply(live, "{spec: {x: 1}}", "a");
  live = apply(live, "{metadata: {name: x}}", "b");
  CHECK(spec_of(live) == R"({"x":1})");

  Json owned = apply(created("{spec: {limits: {b: 1}}}"), "{spec: {limits: {c: 1}}}", "a");
  owned = updated(owned, "{spec: {limits: {b: null}}}", "edit");
  owned = apply(owned, "{metadata: {name: x}}", "a");
  CHECK(spec_of(owned) == R"({"limits":{}})");
}

TEST_CASE("ApplyConflictsWithOtherManagersValues") {
  const Json live = updated(apply({}, "{spec: {p: {min: 1, max: 2}}}", "a"), "{spec: {p: {max: 3}}}", "scaler");
  CHECK(fields(live, "a") == R"({"f:spec":{"f:p":{"f:min":{}}}})");
  CHECK(fields(live, "scaler") == R"({"f:spec":{"f:p":{"f:max":{}}}})");
  CHECK(conflicts(live, "{spec: {p: {min: 1, max: 2}}}", "a") == std::vector<std::string>{"scaler .spec.p.max"});
  CHECK(conflicts(live, "{spec: {p: {min: 9, max: 9}}}", "b") ==
        std::vector<std::string>{"a .spec.p.min", "scaler .spec.p.max"});
  CHECK(applied(live, "{spec: {p: {min: 1, max: 3}}}", applier("b")).conflicts.empty());
}

TEST_CASE("ConflictsAreWordedAsKubernetesWordsThem") {
  Json live = created("{apiVersion: serving.kserve.io/v1beta1, spec: {x: 1}}", "kubectl-edit");
  live = with_updated_managers(live, merge_patch(live, yaml("{status: {yy: 1}}")), updater("ctl", "status"), at(0));
  live = apply(live, "{spec: {z: 1}}", "gitops");
  const auto owner = [&](std::string_view wanted, std::string subresource) {
    const auto result = applied(live, wanted, applier("b", std::move(subresource)));
    REQUIRE(result.conflicts.size() == 1);
    return result.conflicts[0].owner;
  };
  CHECK(owner("{spec: {x: 2}}", "") == R"("kubectl-edit" using serving.kserve.io/v1beta1)");
  CHECK(owner("{spec: {z: 2}}", "") == R"("gitops")");
  CHECK(owner("{status: {yy: 2}}", "status") == R"("ctl" with subresource "status" using serving.kserve.io/v1beta1)");
}

TEST_CASE("ForceTakesFieldsOver") {
  const Json live = updated(apply({}, "{spec: {p: {min: 1}}}", "a"), "{spec: {p: {max: 3, min: 4}}}", "scaler");
  const Json taken = apply(live, "{spec: {p: {min: 1}}}", "b", true);
  CHECK(spec_of(taken) == R"({"p":{"min":1,"max":3}})");
  CHECK(fields(taken, "b") == R"({"f:spec":{"f:p":{"f:min":{}}}})");
  CHECK(fields(taken, "scaler") == R"({"f:spec":{"f:p":{"f:max":{}}}})");
  CHECK(fields(taken, "a") == "none");
}

TEST_CASE("ApplyAndUpdateOfOneNameAreTwoManagers") {
  const Json live = updated(apply({}, "{spec: {x: 1}}", "kubectl"), "{spec: {x: 2}}", "kubectl");
  CHECK(fields(live, "kubectl", "Apply") == "none");
  CHECK(fields(live, "kubectl", "Update") == R"({"f:spec":{"f:x":{}}})");
  CHECK(conflicts(live, "{spec: {x: 1}}", "kubectl") == std::vector<std::string>{"kubectl .spec.x"});
}

TEST_CASE("ApplyInANewVersionStaysTheSameManager") {
  const Json live = apply({}, "{spec: {x: 1, yy: 2}}", "a");
  auto result =
      apply_patch(live, yaml("{spec: {x: 1}}"), {"a", "Apply", "serving.kserve.io/v1beta2", ""}, false, at(9));
  REQUIRE(result.has_value());
  CHECK(spec_of(result->object) == R"({"x":1})");
  REQUIRE(result->object.find_path({"metadata", "managedFields"})->items().size() == 1);
  CHECK(entry_of(result->object, "a")->find("apiVersion")->as_text() == "serving.kserve.io/v1beta2");
}

TEST_CASE("ElementsOfListMapsMergeByKey") {
  const Json live = apply({}, R"({spec: {containers: [{name: a, image: x, env: [{name: E, value: "1"}]},
                                                      {name: b, image: yy}]}})",
                          "a");
  CHECK(fields(live, "a") ==
        R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:env":{"k:{\"name\":\"E\"}":{".":{},"f:name":{},)"
        R"("f:value":{}}},"f:image":{},"f:name":{}},"k:{\"name\":\"b\"}":{".":{},"f:image":{},"f:name":{}}}}})");
  CHECK(conflicts(live, "{spec: {containers: [{name: a, image: z}]}}", "b") ==
        std::vector<std::string>{R"(a .spec.containers[name="a"].image)"});
  const Json both = apply(live, "{spec: {containers: [{name: c, image: z}, {name: a, env: [{name: F}]}]}}", "b");
  CHECK(spec_of(both) == R"({"containers":[{"name":"c","image":"z"},{"name":"a","image":"x","env":[{"name":"E",)"
                         R"("value":"1"},{"name":"F"}]},{"name":"b","image":"yy"}]})");
  const Json fewer = apply(both, "{spec: {containers: [{name: b, image: yy}]}}", "a");
  CHECK(spec_of(fewer) ==
        R"({"containers":[{"name":"c","image":"z"},{"name":"a","env":[{"name":"F"}]},{"name":"b","image":"yy"}]})");
  const Json without = apply(fewer, "{metadata: {name: x}}", "b");
  CHECK(spec_of(without) == R"({"containers":[{"name":"b","image":"yy"}]})");
}

TEST_CASE("AnElementGoesWhenItsOwnerForgetsItWhateverAnUpdateWroteIntoIt") {
  Json live = apply({}, "{spec: {containers: [{name: a, image: x}, {name: b}]}}", "a");
  Json after = live;
  after.find("spec")->find("containers")->items()[0].set("image", Json::text("yy"));
  live = with_updated_managers(live, after, updater("edit"), at(1));
  CHECK(fields(live, "edit") == R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{}}}}})");
  live = apply(live, "{spec: {containers: [{name: b}]}}", "a");
  CHECK(spec_of(live) == R"({"containers":[{"name":"b"}]})");
  CHECK(fields(live, "edit") == "none");
}

TEST_CASE("PortsAreToldApartByNumberAndProtocol") {
  const Json live = apply({}, "{spec: {ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]}}", "a");
  CHECK(fields(live, "a") ==
        R"({"f:spec":{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}},)"
        R"("k:{\"containerPort\":80,\"protocol\":\"UDP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}}}})");
  const Json named = apply(live, "{spec: {ports: [{containerPort: 8.0e1, protocol: TCP, name: http}]}}", "b");
  CHECK(spec_of(named) == R"({"ports":[{"containerPort":80,"protocol":"TCP","name":"http"},)"
                          R"({"containerPort":80,"protocol":"UDP"}]})");
  CHECK(conflicts(named, "{spec: {ports: [{containerPort: 80, name: web}]}}", "c") ==
        std::vector<std::string>{R"(b .spec.ports[containerPort=80,protocol="TCP"].name)"});
}

TEST_CASE("FinalizersAreASetAndOwnersGoByTheirUid") {
  Json live = apply({}, R"({metadata: {finalizers: [x, yy], ownerReferences: [{uid: "1", name: a}]}})", "a");
  CHECK(fields(live, "a") == R"({"f:metadata":{"f:finalizers":{"v:\"x\"":{},"v:\"yy\"":{}},)"
                             R"("f:ownerReferences":{"k:{\"uid\":\"1\"}":{}}}})");
  live = apply(live, R"({metadata: {finalizers: [z, yy], ownerReferences: [{uid: "2", name: b}]}})", "b");
  CHECK(live.find_path({"metadata", "finalizers"})->dump() == R"(["x","z","yy"])");
  CHECK(conflicts(live, R"({metadata: {ownerReferences: [{uid: "2", name: c}]}})", "a") ==
        std::vector<std::string>{R"(b .metadata.ownerReferences[uid="2"])"});
  live = apply(live, "{metadata: {name: nn}}", "a");
  CHECK(live.find_path({"metadata", "finalizers"})->dump() == R"(["z","yy"])");
  CHECK(live.find_path({"metadata", "ownerReferences"})->dump() == R"([{"uid":"2","name":"b"}])");
}

TEST_CASE("OtherListsAndSelectorsChangeAsAWhole") {
  const Json live = apply({}, "{spec: {args: [a, b], nodeSelector: {x: yy}, canary: [{predictor: {name: c}}]}}", "a");
  CHECK(fields(live, "a") == R"({"f:spec":{"f:args":{},"f:canary":{},"f:nodeSelector":{}}})");
  CHECK(conflicts(live, "{spec: {args: [a], nodeSelector: {z: yy}}}", "b") ==
        std::vector<std::string>{"a .spec.args", "a .spec.nodeSelector"});
  CHECK(spec_of(apply(live, "{spec: {args: [c], nodeSelector: {z: yy}}}", "b", true)) ==
        R"({"args":["c"],"nodeSelector":{"z":"yy"},"canary":[{"predictor":{"name":"c"}}]})");
}

TEST_CASE("ContainersWithoutNamesAreOneList") {
  const Json live = apply({}, "{spec: {containers: [{image: x}]}}", "a");
  CHECK(fields(live, "a") == R"({"f:spec":{"f:containers":{}}})");
  const Json named = apply(live, "{spec: {containers: [{name: nn, image: x}]}}", "a");
  CHECK(spec_of(named) == R"({"containers":[{"name":"nn","image":"x"}]})");
  CHECK(spec_of(apply(named, "{spec: {containers: [{image: yy}]}}", "a")) == R"({"containers":[{"image":"yy"}]})");
}

TEST_CASE("ApplyRefusesOneKeyTwice") {
  const auto result =
      apply_patch({}, yaml(R"({spec: {containers: [{name: c, env: [{name: A}, {name: B}, {name: A}]}]}})"),
                  applier("a"), false, at(0));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Code::invalid_argument);
  CHECK(result.error().text() ==
        R"(.spec.containers[name="c"].env: elements 0 and 2 have the same key; keep one of them)");
}

TEST_CASE("ApplyRefusesWhatIsNoObjectOrBringsManagers") {
  const auto refusal = [](std::string_view wanted) {
    const auto result = apply_patch({}, yaml(wanted), applier("a"), true, at(0));
    return result ? "accepted" : result.error().text();
  };
  CHECK(refusal("[1]") == "what is applied must be a map");
  CHECK(refusal("{metadata: text}") == ".metadata: metadata must be a map");
  CHECK(refusal("{metadata: {managedFields: [{}]}}") ==
        ".metadata.managedFields: must be left out of what is applied; the server keeps it");
  CHECK(refusal("{metadata: {managedFields: []}}") == "accepted");
}

TEST_CASE("NobodyOwnsTheServersFields") {
  const auto wanted = R"({apiVersion: v, kind: K, metadata: {name: nn, namespace: s, uid: wrong, resourceVersion: "7",
    generation: 9, creationTimestamp: null, labels: {a: b}}, spec: {x: 1}, status: {url: wrong}})";
  Json live = apply({}, "{apiVersion: v, kind: K, metadata: {name: nn, namespace: s}}", "a");
  live.member("metadata").set("uid", Json::text("right"));
  live.set("status", yaml("{url: right}"));
  live = apply(live, wanted, "a");
  CHECK(fields(live, "a") == R"({"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:x":{}}})");
  CHECK(live.find_path({"metadata", "uid"})->as_text() == "right");
  CHECK(live.find_path({"metadata", "generation"}) == nullptr);
  CHECK(live.find_path({"status", "url"})->as_text() == "right");
  // Even entries that a client made up do not let them be removed.
  Json forged = live;
  forged.member("metadata")
      .set("managedFields", yaml(R"([{manager: a, operation: Apply, apiVersion: v, fieldsType: FieldsV1,
    fieldsV1: {"f:metadata": {".": {}, "f:name": {}, "f:uid": {}}, "f:kind": {}, "f:status": {}}}])"));
  forged = apply(forged, "{metadata: {labels: {a: b}}}", "a");
  CHECK(forged.find_path({"metadata", "name"})->as_text() == "nn");
  CHECK(forged.find_path({"metadata", "uid"})->as_text() == "right");
  CHECK(forged.find("kind")->as_text() == "K");
  CHECK(forged.find("status") != nullptr);
}

TEST_CASE("TheStatusHasItsOwnManagers") {
  Json live = apply({}, "{spec: {x: 1}}", "a");
  live = updated(live, "{spec: {x: 2}, status: {conditions: [{type: Ready, status: 'True'}], url: u}}", "ctl", 0,
                 "status");
  CHECK(
      fields(live, "ctl") ==
      R"({"f:status":{".":{},"f:conditions":{".":{},"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}},"f:url":{}}})");
  CHECK(entry_of(live, "ctl")->find("subresource")->as_text() == "status");
  CHECK(fields(live, "a") == R"({"f:spec":{"f:x":{}}})");
  const Applied result = applied(
      live, "{spec: {x: 9}, metadata: {labels: {l: m}}, status: {conditions: [{type: Ready, status: 'False'}]}}",
      applier("b", "status"), true);
  CHECK(spec_of(result.object) == R"({"x":2})");
  CHECK(result.object.find_path({"metadata", "labels"}) == nullptr);
  CHECK(result.object.find("status")->dump() == R"({"conditions":[{"type":"Ready","status":"False"}],"url":"u"})");
  CHECK(fields(result.object, "b") ==
        R"({"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}}}})");
}

TEST_CASE("UpdatesTakeWhatTheyChangeAndDropWhatTheyRemove") {
  Json live = apply({}, "{metadata: {labels: {a: x, b: yy}}, spec: {x: 1, yy: {z: 2}}}", "a");
  live = updated(live, "{metadata: {labels: {a: null, b: z}}, spec: {yy: null, w: {v: 3}}}", "edit", 7);
  CHECK(fields(live, "a") == R"({"f:spec":{"f:x":{}}})");
  CHECK(fields(live, "edit") == R"({"f:metadata":{"f:labels":{"f:b":{}}},"f:spec":{"f:w":{".":{},"f:v":{}}}})");
  CHECK(entry_of(live, "edit")->find("time")->as_text() == "2027-01-15T08:00:07Z");
  const Json same = updated(live, "{spec: {x: 1.0}}", "other", 8);
  CHECK(same == live);
  const Json more = updated(live, "{spec: {u: 1}}", "edit", 9);
  CHECK(fields(more, "edit") ==
        R"({"f:metadata":{"f:labels":{"f:b":{}}},"f:spec":{"f:u":{},"f:w":{".":{},"f:v":{}}}})");
  const Json gone = updated(more, "{spec: null, metadata: {labels: null}}", "other", 10);
  CHECK(gone.find_path({"metadata", "managedFields"}) == nullptr);
}

TEST_CASE("AValueThatBecomesAnotherKindBelongsToWhoChangedIt") {
  Json live = apply({}, "{spec: {x: {a: 1, b: 2}}}", "a");
  live = updated(live, "{spec: {x: 5}}", "edit");
  CHECK(fields(live, "a") == "none");
  CHECK(fields(live, "edit") == R"({"f:spec":{"f:x":{}}})");
  live = apply(live, "{spec: {x: {c: 1}}}", "a", true);
  CHECK(spec_of(live) == R"({"x":{"c":1}})");
  CHECK(fields(live, "edit") == "none");
}

TEST_CASE("ObjectsFromBeforeManagersWereRecordedBelongToOne") {
  const Json live = yaml("{apiVersion: serving.kserve.io/v1beta1, spec: {x: 1, yy: 2}}");
  CHECK(conflicts(live, "{spec: {x: 2}}", "a") == std::vector<std::string>{"before-first-apply .spec.x"});
  const Json taken = apply(live, "{spec: {x: 1}}", "a");
  CHECK(fields(taken, "before-first-apply") == R"({"f:spec":{".":{},"f:x":{},"f:yy":{}}})");
}

TEST_CASE("AnApplyThatNamesNothingLeavesAnUnrecordedObjectAlone") {
  const Json live = yaml("{apiVersion: serving.kserve.io/v1beta1, spec: {x: 1}}");
  CHECK(apply(live, "{metadata: {name: x}}", "a").find_path({"metadata", "managedFields"}) == nullptr);
}

TEST_CASE("ClientsMayChangeOrForgetTheManagers") {
  const Json live = created("{spec: {x: 1}}", "kubectl-client-side-apply");
  Json after = live;
  after.find("metadata")->find("managedFields")->items()[0].set("manager", Json::text("kubectl"));
  after = with_updated_managers(live, after, updater("migrate"), at(0));
  CHECK(fields(after, "kubectl") == R"({"f:spec":{".":{},"f:x":{}}})");
  CHECK(fields(after, "kubectl-client-side-apply") == "none");
  CHECK(fields(after, "migrate") == "none");
  after.find("metadata")->set("managedFields", yaml("[{}]"));
  after = with_updated_managers(live, after, updater("reset"), at(0));
  CHECK(after.find_path({"metadata", "managedFields"}) == nullptr);
  Json bare = live;
  bare.erase("metadata");
  CHECK(fields(with_updated_managers(live, bare, updater("put"), at(0)), "kubectl-client-side-apply") ==
        R"({"f:spec":{".":{},"f:x":{}}})");
}

TEST_CASE("TheOldestOfManyUpdatersBecomeOne") {
  Json live = created("{spec: {x: 1}}", "m0");
  for (int i = 1; i < 30; ++i) live = updated(live, fmt::format("{{spec: {{f{}: 1}}}}", i), fmt::format("m{}", i), i);
  CHECK(live.find_path({"metadata", "managedFields"})->items().size() == 10);
  CHECK(fields(live, "m29") == R"({"f:spec":{"f:f29":{}}})");
  CHECK(fields(live, "m0") == "none");
  CHECK(fields(live, "ancient-changes").starts_with(R"({"f:spec":{".":{},"f:f1":{},"f:f10":{})"));
}

TEST_CASE("FieldsV1IsReadAndWrittenAsItIs") {
  const auto text = R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:c":{"k:{\"name\":\"a\"}":{".":{},)"
                    R"("f:image":{}}},"f:list":{"i:3":{},"v:\"x\"":{}}}})";
  const auto json = read_json(text, "t");
  REQUIRE(json.has_value());
  const FieldSet set = field_set_of(*json);
  CHECK(fields_v1(set).dump() == text);
  CHECK(field_paths(set) == std::vector<std::string>{".metadata.labels", ".metadata.labels.app", ".spec.c[name=\"a\"]",
                                                     ".spec.c[name=\"a\"].image", ".spec.list[i:3]",
                                                     ".spec.list[=\"x\"]"});
  CHECK(union_of(set, FieldSet()) == set);
  CHECK(intersection_of(set, set) == set);
  CHECK(difference_of(set, set).empty());
}

TEST_CASE("ApplyOfLargeAndDeepObjectsEndsSoonAndIsReadAgain") {
  std::string wide = "{\"metadata\":{},\"spec\":{\"env\":[";
  for (int i = 0; i < 4'000; ++i) wide += fmt::format("{}{{\"name\":\"e{}\",\"value\":\"v\"}}", i ? "," : "", i);
  wide += "],\"deep\":" + std::string(61, '[') + std::string(61, ']') + ",\"maps\":";
  for (int i = 0; i < 60; ++i) wide += "{\"m\":";
  wide += "1" + std::string(60, '}') + ",\"" + std::string(1024, 'k') + "\":1}}";
  const auto wanted = read_json(wide, "t");
  if (!wanted) FAIL(wanted.error().text());
  const auto begin = std::chrono::steady_clock::now();
  Json live;
  for (int i = 0; i < 3; ++i) {
    auto result = apply_patch(live, *wanted, applier(fmt::format("m{}", i)), false, at(0));
    REQUIRE(result.has_value());
    CHECK(result->conflicts.empty());
    live = std::move(result->object);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));  // under sanitizers
  const auto again = read_json(live.dump(), "t");
  if (!again) FAIL(again.error().text());
  CHECK(*again == live);
}
