#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "jackdaw/control/declared_object.h"
#include "tests/unit/control/store_world.h"

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;
using spec::Json;
using Type = PatchRequest::Type;

const WriteOptions by_me{"me", false};
const WriteOptions dry_run{"me", true};

std::unique_ptr<Watch> watching(ResourceStore& store, std::string version, bool initial = false,
                                std::string labels = {}) {
  WatchRequest request;
  request.group = "serving.kserve.io";
  request.plural = "inferenceservices";
  request.resource_version = std::move(version);
  request.send_initial_events = initial;
  request.selector.labels = std::move(labels);
  StoreError error;
  auto watch = store.watch(std::move(request), error);
  INFO(error.message);
  REQUIRE(watch != nullptr);
  return watch;
}

// "ADDED iris 1; BOOKMARK 1", or "(expired)".
std::string taken(Watch& watch) {
  bool expired = false;
  std::string out;
  for (const WatchEvent& event : watch.take(expired)) {
    static constexpr const char* names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
    out += std::string(out.empty() ? "" : "; ") + names[static_cast<int>(event.type)];
    if (event.object != nullptr) out += " " + at(*event.object, {"metadata", "name"});
    out += " " + std::to_string(event.resource_version);
  }
  return expired ? "(expired)" : out;
}

StoreAnswer apply(ResourceStore& store, const Json& object, const std::string& manager, bool force = false) {
  PatchRequest request{Type::apply, object, force, ""};
  return store.patch(named(at(object, {"metadata", "name"})), request, {manager, false});
}

TEST_CASE("ANewObjectGetsItsMetadata") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const StoreAnswer made = store.create(named("iris"), service("iris"), by_me);
  REQUIRE(!made.error);
  CHECK(made.changed);
  CHECK(at(made.object, {"metadata", "namespace"}) == "default");
  CHECK(at(made.object, {"metadata", "uid"}).size() == 36);
  CHECK(at(made.object, {"metadata", "creationTimestamp"}) == "2023-11-14T22:13:20Z");
  CHECK(at(made.object, {"metadata", "generation"}) == "1");
  CHECK(at(made.object, {"metadata", "resourceVersion"}) == "1");
  const Json& manager = made.object.find_path({"metadata", "managedFields"})->items().at(0);
  CHECK(at(manager, {"manager"}) == "me");
  CHECK(at(manager, {"operation"}) == "Update");
  REQUIRE(store.get(named("iris")) != nullptr);
  CHECK(*store.get(named("iris")) == made.object);

  const StoreAnswer again = store.create(named("iris"), service("iris"), by_me);
  REQUIRE(again.error);
  CHECK(again.error->reason == Reason::already_exists);
  CHECK(again.error->message == R"(inferenceservices.serving.kserve.io "iris" already exists)");
}

TEST_CASE("NamesAreMadeUpFromGenerateName") {
  StoreWorld world;
  ResourceStore& store = world.start();
  Json object = service("x");
  object.member("metadata") = json(R"({"generateName":"iris-"})");
  std::set<std::string> names;
  for (int i = 0; i < 50; ++i) {
    const StoreAnswer made = store.create(named(""), object, by_me);
    REQUIRE(!made.error);
    const std::string name = at(made.object, {"metadata", "name"});
    CHECK(name.size() == 10);
    CHECK(name.starts_with("iris-"));
    names.insert(name);
  }
  CHECK(names.size() == 50);
  object.member("metadata") = json("{}");
  const StoreAnswer nameless = store.create(named(""), object, by_me);
  REQUIRE(nameless.error);
  CHECK(nameless.error->reason == Reason::invalid);
  CHECK(nameless.error->causes.at(0).field == "metadata.name");
}

TEST_CASE("RefusesMetadataThatKubernetesRefuses") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const auto cause = [&](const std::string& metadata, const std::string& name) {
    Json object = service(name);
    object.member("metadata") = json(metadata);
    const StoreAnswer answer = store.create(named(name), object, by_me);
    return answer.error && answer.error->reason == Reason::invalid ? answer.error->causes.at(0).field : "(accepted)";
  };
  CHECK(cause("{}", "a/b") == "metadata.name");
  CHECK(cause("{}", "Iris") == "metadata.name");
  CHECK(cause("{}", "-iris") == "metadata.name");
  CHECK(cause("{}", std::string(254, 'a')) == "metadata.name");
  CHECK(cause(R"({"labels":{"a b":"c"}})", "iris") == "metadata.labels");
  CHECK(cause(R"({"labels":{"a":"c d"}})", "iris") == "metadata.labels.a");
  CHECK(cause(R"({"labels":{"a":1}})", "iris") == "metadata.labels.a");
  CHECK(cause(R"({"annotations":{"a":1}})", "iris") == "metadata.annotations.a");
  CHECK(cause(R"({"annotations":{"a":")" + std::string(300'000, 'x') + R"("}})", "iris") == "metadata.annotations");
  CHECK(cause(R"({"finalizers":["a b"]})", "iris") == "metadata.finalizers");
  CHECK(cause(R"({"labels":{"example.com/App_1":"","b":"2.x"},"annotations":{"any key":"any\nvalue"}})", "iris") ==
        "(accepted)");
  CHECK(store.create(named("iris", "bad/space"), service("iris"), by_me).error->causes.at(0).field ==
        "metadata.namespace");
  CHECK(store.create(named("other"), service("other"), {"", false}).error->reason == Reason::bad_request);
  CHECK(store.create(named("other"), service("other"), {"\xff", false}).error->reason == Reason::bad_request);
}

TEST_CASE("GenerationCountsWhatIsWantedOnly") {
  StoreWorld world;
  ResourceStore& store = world.start();
  CHECK(!store.create(named("iris"), service("iris"), by_me).error);
  Json labelled = service("iris");
  labelled.member("metadata").set("labels", json(R"({"team":"birds"})"));
  StoreAnswer answer = store.update(named("iris"), labelled, by_me);
  CHECK(at(answer.object, {"metadata", "generation"}) == "1");
  CHECK(at(answer.object, {"metadata", "resourceVersion"}) == "2");

  Json status = labelled;
  status.set("status", json(R"({"url":"http://iris"})"));
  answer = store.update_status(named("iris"), status, {"jackdaw", false});
  CHECK(at(answer.object, {"metadata", "generation"}) == "1");
  CHECK(at(answer.object, {"status", "url"}) == "http://iris");

  Json changed = service("iris", R"({"predictor":{"minReplicas":2}})");
  changed.set("status", json(R"({"url":"http://liar"})"));
  answer = store.update(named("iris"), changed, by_me);
  CHECK(at(answer.object, {"metadata", "generation"}) == "2");
  CHECK(at(answer.object, {"status", "url"}) == "http://iris");  // a subresource: an update leaves it alone
  CHECK(at(answer.object, {"metadata", "labels"}) == "(missing)");

  const std::uint64_t version = store.resource_version();
  answer = store.update(named("iris"), changed, by_me);
  CHECK(!answer.changed);
  CHECK(store.resource_version() == version);
}

TEST_CASE("AnUpdateOfAnOldVersionIsAConflict") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const Json first = store.create(named("iris"), service("iris"), by_me).object;
  Json second = first;
  second.set("spec", json(R"({"predictor":{"minReplicas":2}})"));
  REQUIRE(!store.update(named("iris"), second, by_me).error);
  Json late = first;
  late.set("spec", json(R"({"predictor":{"minReplicas":3}})"));
  const StoreAnswer answer = store.update(named("iris"), late, by_me);
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::conflict);
  CHECK(answer.error->message.find("the object has been modified") != std::string::npos);

  late.member("metadata").erase("resourceVersion");
  late.member("metadata").set("uid", Json::text("another"));
  CHECK(store.update(named("iris"), late, by_me).error->reason == Reason::conflict);
  CHECK(store.update(named("nobody"), late, by_me).error->reason == Reason::not_found);
  CHECK(store.remove(named("iris"), {"another", ""}, by_me).error->reason == Reason::conflict);
  CHECK(store.remove(named("iris"), {"", "1"}, by_me).error->reason == Reason::conflict);
}

TEST_CASE("PatchesChangeAPart") {
  StoreWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  const auto patch = [&](Type type, const std::string& body, const std::string& subresource = "") {
    return store.patch(named("iris"), {type, json(body), false, subresource}, by_me);
  };
  StoreAnswer answer = patch(Type::merge, R"({"spec":{"predictor":{"minReplicas":null,"timeout":5}}})");
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"spec"}) == R"({"predictor":{"timeout":5}})");
  answer = patch(Type::json, R"([{"op":"add","path":"/metadata/labels","value":{"a":"b"}}])");
  CHECK(at(answer.object, {"metadata", "labels", "a"}) == "b");
  answer = patch(Type::json, R"([{"op":"test","path":"/spec/predictor/timeout","value":6}])");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::invalid);
  answer = patch(Type::merge, R"({"status":{"url":"x"}})");
  CHECK(!answer.changed);
  answer = patch(Type::merge, R"({"status":{"url":"x"},"spec":null})", "status");
  CHECK(at(answer.object, {"status", "url"}) == "x");
  CHECK(at(answer.object, {"spec", "predictor", "timeout"}) == "5");
  answer = patch(Type::merge, R"({"metadata":{"name":"other"}})");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::bad_request);
  answer = patch(Type::merge, R"({"metadata":{"resourceVersion":"1"}})");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::conflict);
  CHECK(patch(Type::merge, "[]").error->reason == Reason::bad_request);
}

TEST_CASE("ApplyCreatesConflictsAndTakesOver") {
  StoreWorld world;
  ResourceStore& store = world.start();
  StoreAnswer answer = apply(store, service("iris"), "one");
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"metadata", "generation"}) == "1");
  CHECK(!apply(store, service("iris"), "one").changed);
  const Json other = service("iris", R"({"predictor":{"minReplicas":2}})");
  answer = apply(store, other, "two");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::conflict);
  CHECK(answer.error->message == R"(Apply failed with 1 conflict: conflict with "one": .spec.predictor.minReplicas)");
  CHECK(answer.error->causes.at(0).reason == "FieldManagerConflict");
  answer = apply(store, other, "two", true);
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"metadata", "generation"}) == "2");
  CHECK(at(answer.object, {"spec", "predictor", "minReplicas"}) == "2");
  answer = apply(store, service("iris", R"({"predictor":{}})"), "two");
  CHECK(at(answer.object, {"spec", "predictor"}) == "{}");
}

TEST_CASE("AnObjectWithFinalizersGoesWithTheLast") {
  StoreWorld world;
  ResourceStore& store = world.start();
  Json object = service("iris");
  object.member("metadata").set("finalizers", json(R"(["a.dev/x","a.dev/y"])"));
  REQUIRE(!store.create(named("iris"), object, by_me).error);
  const auto watch = watching(store, "1");
  StoreAnswer answer = store.remove(named("iris"), {}, by_me);
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"metadata", "deletionTimestamp"}) == "2023-11-14T22:13:20Z");
  CHECK(at(answer.object, {"metadata", "generation"}) == "2");
  CHECK(!store.remove(named("iris"), {}, by_me).changed);
  REQUIRE(store.get(named("iris")) != nullptr);

  const auto finalizers = [&](const std::string& list) {
    return store.patch(named("iris"), {Type::merge, json(R"({"metadata":{"finalizers":)" + list + "}}"), false, ""},
                       by_me);
  };
  answer = finalizers(R"(["a.dev/x","a.dev/new"])");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::invalid);
  CHECK(!finalizers(R"(["a.dev/x"])").error);
  CHECK(store.get(named("iris")) != nullptr);
  CHECK(!finalizers("null").error);
  CHECK(store.get(named("iris")) == nullptr);
  CHECK(taken(*watch) == "MODIFIED iris 2; MODIFIED iris 3; DELETED iris 4");
  CHECK(world.disk.rows.size() == 1);  // its tombstone
}

TEST_CASE("ADryRunDoesEverythingButWrite") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const auto watch = watching(store, "");
  StoreAnswer answer = store.create(named("iris"), service("iris"), dry_run);
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"metadata", "generation"}) == "1");
  CHECK(store.get(named("iris")) == nullptr);
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  answer = store.update(named("iris"), service("iris", R"({"predictor":{"minReplicas":2}})"), dry_run);
  CHECK(at(answer.object, {"metadata", "generation"}) == "2");
  CHECK(!store.remove(named("iris"), {}, dry_run).error);
  CHECK(at(*store.get(named("iris")), {"spec", "predictor", "minReplicas"}) == "1");
  CHECK(taken(*watch) == "ADDED iris 1");
}

TEST_CASE("ListsBySelectors") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const auto add = [&](const std::string& name, const std::string& labels, const std::string& space) {
    Json object = service(name);
    if (!labels.empty()) object.member("metadata").set("labels", json(labels));
    REQUIRE(!store.create(named(name, space), object, by_me).error);
  };
  add("b", R"({"app":"iris","env":"prod"})", "default");
  add("a", R"({"app":"wine"})", "default");
  add("c", "", "ml");
  const auto names = [&](const std::string& labels, const std::string& fields = {}, const std::string& space = {}) {
    const ListAnswer answer = store.list("serving.kserve.io", "inferenceservices", space, {labels, fields});
    if (answer.error) return "(" + answer.error->message + ")";
    std::string out;
    for (const auto& object : answer.objects) out += at(*object, {"metadata", "name"});
    return out;
  };
  CHECK(names("") == "abc");
  CHECK(names("", "", "default") == "ab");
  CHECK(names("app=iris") == "b");
  CHECK(names("app == iris , env=prod") == "b");
  CHECK(names("app!=iris") == "ac");
  CHECK(names("app") == "ab");
  CHECK(names("!app") == "c");
  CHECK(names("app in (iris, wine)") == "ab");
  CHECK(names("app notin (iris)") == "ac");
  CHECK(names("env=") == "");
  CHECK(names("", "metadata.name=a") == "a");
  CHECK(names("", "metadata.namespace!=default") == "c");
  CHECK(names("", "spec.x=1") == "(field label not supported: spec.x)");
  for (const auto broken : {"=a", "a=b,", "a in b", "a in (b", "a ~ b", ",", "a b"}) {
    INFO(broken);
    CHECK(names(broken).starts_with("(unable to parse the label selector"));
  }
}

TEST_CASE("AWatchSeesEveryChangeOnce") {
  StoreWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("a"), service("a"), by_me).error);
  const auto all = watching(store, "", true);
  const auto since = watching(store, "1");
  const auto plain = watching(store, "0");
  CHECK(taken(*all) == "ADDED a 1; BOOKMARK 1");
  CHECK(taken(*since) == "");
  CHECK(taken(*plain) == "ADDED a 1");
  REQUIRE(!store.create(named("b"), service("b"), by_me).error);
  REQUIRE(!store.remove(named("a"), {}, by_me).error);
  for (const auto& watch : {all.get(), since.get(), plain.get()}) {
    CHECK(taken(*watch) == "ADDED b 2; DELETED a 3");
    CHECK(watch->resource_version() == 3);
    CHECK(taken(*watch) == "");
  }
  CHECK(taken(*watching(store, "2")) == "DELETED a 3");
}

TEST_CASE("AWatchWithASelectorSeesObjectsComeAndGo") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const auto watch = watching(store, "", false, "on=yes");
  const auto label = [&](const std::string& value) {
    Json object = service("iris");
    object.member("metadata").set("labels", json(R"({"on":")" + value + R"("})"));
    REQUIRE(!store.update(named("iris"), object, by_me).error);
  };
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  label("yes");
  label("no");
  label("yes");
  REQUIRE(!store.remove(named("iris"), {}, by_me).error);
  CHECK(taken(*watch) == "ADDED iris 2; DELETED iris 3; ADDED iris 4; DELETED iris 5");
}

TEST_CASE("AWatchThatFallsBehindOrBeganTooLongAgoIsExpired") {
  StoreWorld world;
  world.options.watch_queue_max = 4;
  world.options.history_max = 3;
  ResourceStore& store = world.start();
  int woken = 0;
  WatchRequest request;
  request.group = "serving.kserve.io";
  request.plural = "inferenceservices";
  request.wake = [&] { ++woken; };
  StoreError error;
  const auto slow = store.watch(request, error);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(!store.create(named("n" + std::to_string(i)), service("n" + std::to_string(i)), by_me).error);
  }
  CHECK(woken == 1);  // once until it takes
  CHECK(taken(*slow) == "(expired)");

  CHECK(taken(*watching(store, "2")) == "ADDED n2 3; ADDED n3 4; ADDED n4 5");
  for (const auto version : {"1", "6"}) {  // forgotten, and not there yet: of a store that was lost
    request.resource_version = version;
    CHECK(store.watch(request, error) == nullptr);
    CHECK(error.reason == Reason::expired);
  }
  request.resource_version = "x";
  CHECK(store.watch(request, error) == nullptr);
  CHECK(error.reason == Reason::bad_request);
  request.resource_version = "";
  const auto last = store.watch(request, error);
  store.end_watches();
  CHECK(taken(*last) == "(expired)");
  CHECK(store.watch(request, error) == nullptr);
  CHECK(error.reason == Reason::unavailable);
}

TEST_CASE("TheHistoryIsBoundInBytesToo") {
  StoreWorld world;
  world.options.history_bytes_max = 1500;
  ResourceStore& store = world.start();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(!store.create(named("n" + std::to_string(i)), service("n" + std::to_string(i)), by_me).error);
  }
  WatchRequest request{"serving.kserve.io", "inferenceservices", "", {}, "10", false, {}};
  StoreError error;
  CHECK(store.watch(request, error) == nullptr);
  CHECK(taken(*watching(store, "19")) == "ADDED n19 20");
}

TEST_CASE("LimitsAreKept") {
  StoreWorld world;
  world.options.object_bytes_max = 2000;
  world.options.objects_max = 2;
  ResourceStore& store = world.start();
  Json large = service("large");
  large.member("metadata").set("annotations", Json::object({{"a", Json::text(std::string(3000, 'x'))}}));
  CHECK(store.create(named("large"), large, by_me).error->reason == Reason::too_large);
  CHECK(store.create(named("large"), large, dry_run).error->reason == Reason::too_large);
  CHECK(!store.create(named("a"), service("a"), by_me).error);
  CHECK(!store.create(named("b"), service("b"), by_me).error);
  CHECK(store.create(named("c"), service("c"), by_me).error->reason == Reason::unavailable);
  CHECK(!store.remove(named("a"), {}, by_me).error);
  CHECK(!store.create(named("c"), service("c"), by_me).error);
}

TEST_CASE("AFullDiskChangesNothingAndIsSaid") {
  StoreWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  const auto watch = watching(store, "1");
  world.disk.full = true;
  const Json changed = service("iris", R"({"predictor":{"minReplicas":2}})");
  const StoreAnswer answer = store.update(named("iris"), changed, by_me);
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::unavailable);
  CHECK(answer.error->message.find("the disk is full") != std::string::npos);
  CHECK(store.remove(named("iris"), {}, by_me).error->reason == Reason::unavailable);
  CHECK(store.resource_version() == 1);
  CHECK(at(*store.get(named("iris")), {"spec", "predictor", "minReplicas"}) == "1");
  CHECK(taken(*watch) == "");
  world.disk.full = false;
  CHECK(!store.update(named("iris"), changed, by_me).error);
  CHECK(taken(*watch) == "MODIFIED iris 2");
}

TEST_CASE("AStartFindsWhatWasAcknowledged") {
  StoreWorld world;
  world.start();
  const Json made = world.store->create(named("iris"), service("iris"), by_me).object;
  const std::string hybrid = world.store->hybrid_version(named("iris"));
  CHECK(world.disk.rows.begin()->first == "serving.kserve.io/inferenceservices/default/iris");
  CHECK(hybrid == "0000018bcfe56800-0000-jackdaw");
  world.clock.wall_value -= 1h;  // a clock that was set back
  ResourceStore& store = world.start();
  REQUIRE(store.get(named("iris")) != nullptr);
  CHECK(*store.get(named("iris")) == made);
  CHECK(store.resource_version() == 1);
  CHECK(store.hybrid_version(named("iris")) == hybrid);
  REQUIRE(!store.create(named("wine"), service("wine"), by_me).error);
  CHECK(store.hybrid_version(named("wine")) == "0000018bcfe56800-0001-jackdaw");
  CHECK(store.hybrid_version(named("nobody")) == "");

  // A watch that knew the last version goes on; one from before must list again.
  StoreError error;
  WatchRequest request{"serving.kserve.io", "inferenceservices", "", {}, "1", false, {}};
  CHECK(store.watch(request, error) != nullptr);
  request.resource_version = "2";
  world.start();
  CHECK(world.store->watch(request, error) != nullptr);
  request.resource_version = "1";
  CHECK(world.store->watch(request, error) == nullptr);
  CHECK(error.reason == Reason::expired);
}

// "iris 0000018bcfe56800-0001-jackdaw; …"
std::string stones(const ResourceStore& store) {
  std::string out;
  for (const Tombstone& stone : store.tombstones())
    out += (out.empty() ? "" : "; ") + stone.name.name + " " + stone.hybrid_version;
  return out;
}

TEST_CASE("ARemovedObjectLeavesATombstoneThroughARestart") {
  StoreWorld world;
  world.start();
  const Json made = world.store->create(named("iris"), service("iris"), by_me).object;
  REQUIRE(!world.store->remove(named("iris"), {}, dry_run).error);
  CHECK(world.store->tombstones().empty());
  REQUIRE(!world.store->remove(named("iris"), {}, by_me).error);
  CHECK(world.disk.rows.begin()->first == "deleted:serving.kserve.io/inferenceservices/default/iris");
  for (int life = 0; life < 2; ++life) {
    if (life > 0) world.start();
    CHECK(world.store->get(named("iris")) == nullptr);
    CHECK(stones(*world.store) == "iris 0000018bcfe56800-0001-jackdaw");
    const Tombstone stone = world.store->tombstones().at(0);
    CHECK(stone.name.group == "serving.kserve.io");
    CHECK(stone.name.plural == "inferenceservices");
    CHECK(stone.name.namespace_name == "default");
    CHECK(stone.uid == at(made, {"metadata", "uid"}));
    CHECK(stone.removed_at == world.clock.wall_value);
  }
  // A new one of the name stands for itself.
  REQUIRE(!world.store->create(named("iris"), service("iris"), by_me).error);
  CHECK(world.store->hybrid_version(named("iris")) == "0000018bcfe56800-0002-jackdaw");
  CHECK(world.store->tombstones().empty());
  CHECK(world.start().tombstones().empty());
  CHECK(world.disk.rows.size() == 1);

  const storage::ObjectRow broken{"deleted:serving.kserve.io/inferenceservices/default/x", "{}", ""};
  world.disk.rows[broken.key] = broken;
  CHECK(!make_resource_store(std::make_unique<TestTable>(world.disk), world.options));
}

TEST_CASE("TombstonesAreBoundInNumberAndAge") {
  StoreWorld world;
  world.options.tombstones_max = 3;
  world.options.tombstone_age_max = 10h;
  world.start();
  const auto remove = [&](const std::string& name) {
    REQUIRE(!world.store->create(named(name), service(name), by_me).error);
    REQUIRE(!world.store->remove(named(name), {}, by_me).error);
  };
  const auto names = [&] {
    std::string out;
    for (const Tombstone& stone : world.store->tombstones()) out += stone.name.name;
    return out;
  };
  for (const auto name : {"a", "b", "c", "d"}) {
    remove(name);
    world.clock.wall_value += 1h;
  }
  CHECK(names() == "bcd");
  CHECK(world.disk.rows.size() == 3);
  world.clock.wall_value += 8h;  // b went 11 h ago, c 10 h, d 9 h
  CHECK(names() == "cd");
  world.clock.wall_value += 1s;
  CHECK(names() == "d");
  remove("e");
  CHECK(names() == "de");
  CHECK(world.disk.rows.size() == 2);
  world.start();
  CHECK(names() == "de");
  world.disk.full = true;
  REQUIRE(!world.disk.rows.empty());
  CHECK(world.store->create(named("f"), service("f"), by_me).error);
  CHECK(names() == "de");
}

TEST_CASE("ARowThatIsNoObjectIsRefusedAndUnknownKindsStay") {
  StoreWorld world;
  const storage::ObjectRow unknown{"new.dev/things/default/x", "{}", ""};
  world.disk.rows[unknown.key] = unknown;
  CHECK(world.start().resource_version() == 0);
  CHECK(world.disk.rows.size() == 1);
  const storage::ObjectRow broken{"serving.kserve.io/inferenceservices/default/x", "{", ""};
  world.disk.rows[broken.key] = broken;
  const auto made = make_resource_store(std::make_unique<TestTable>(world.disk), world.options);
  REQUIRE(!made);
  CHECK(made.error().code == Code::parse_error);
  CHECK(made.error().text().find("inferenceservices/default/x") != std::string::npos);
}

TEST_CASE("TheValidatorRefusesWarnsAndFillsIn") {
  StoreWorld world;
  bool strict = false;
  world.options.validate = [&](const ResourceKind&, Json& object) {
    Verdict verdict;
    if (strict || object.find_path({"spec", "bad"}) != nullptr) {
      verdict.errors.push_back({"spec.bad", "unknown field 'bad'", "FieldValueInvalid"});
    }
    verdict.warnings = {"beware"};
    object.member("spec").set("default", Json::integer(1));
    return verdict;
  };
  ResourceStore& store = world.start();
  const StoreAnswer refused = store.create(named("iris"), service("iris", R"({"bad":1})"), by_me);
  REQUIRE(refused.error);
  CHECK(refused.error->message ==
        R"(InferenceService.serving.kserve.io "iris" is invalid: spec.bad: unknown field 'bad')");
  StoreAnswer answer = store.create(named("iris"), service("iris"), by_me);
  CHECK(answer.warnings == std::vector<std::string>{"beware"});
  CHECK(at(*store.get(named("iris")), {"spec", "default"}) == "1");
  strict = true;  // what a newer version refuses may still be labelled
  const Json label = json(R"({"metadata":{"labels":{"a":"b"}}})");
  CHECK(!store.patch(named("iris"), {Type::merge, label, false, ""}, by_me).error);
  CHECK(store.patch(named("iris"), {Type::merge, json(R"({"spec":{"x":1}})"), false, ""}, by_me).error);
}

TEST_CASE("UnknownFieldsAreLeftOutForThoseWhoWantThat") {
  StoreWorld world;
  world.options.validate = make_spec_validator({});
  ResourceStore& store = world.start();
  const Json object = service("iris", R"({"predictr":{"x":[1]},"predictor":{"min/Replicas~":1,"model":{
      "modelFormat":{"name":"sklearn"},"storageUri":"/srv/iris","env":[{"name":"A","valeu":"b"}]}}})");
  const StoreAnswer refused = store.create(named("iris"), object, by_me);
  REQUIRE(refused.error);
  CHECK(refused.error->reason == Reason::invalid);
  CHECK(refused.error->causes.size() == 3);
  CHECK(store.create(named("iris"), object, {"me", true, UnknownFields::refuse}).error);

  StoreAnswer answer = store.create(named("iris"), object, {"me", false, UnknownFields::warn});
  REQUIRE(!answer.error);
  const std::string kept =
      R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/srv/iris","env":[{"name":"A"}]}}})";
  CHECK(at(answer.object, {"spec"}) == kept);
  CHECK(answer.object.dump().find("predictr") == std::string::npos);  // nobody owns it either
  REQUIRE(answer.warnings.size() >= 3);
  CHECK(answer.warnings[0] ==
        "spec.predictr: unknown field 'predictr' in spec; did you mean 'predictor'?; it is left out");

  CHECK(!store.update(named("iris"), object, {"me", false, UnknownFields::ignore}).changed);
  const PatchRequest merge{Type::merge, json(R"({"spec":{"predictor":{"wrong":1}}})"), false, ""};
  CHECK(store.patch(named("iris"), merge, by_me).error);
  answer = store.patch(named("iris"), merge, {"me", false, UnknownFields::ignore});
  CHECK(!answer.error);
  CHECK(!answer.changed);
  answer = store.patch(named("iris"), {Type::apply, object, true, ""}, {"other", false, UnknownFields::warn});
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"spec"}) == kept);
  CHECK(answer.object.dump().find("predictr") == std::string::npos);

  // What is wrong in another way is refused all the same, and so are annotations of ours that nobody knows.
  const Json lacking =
      service("rose", R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageURI":"/x"}}})");
  const StoreAnswer still = store.create(named("rose"), lacking, {"me", false, UnknownFields::warn});
  REQUIRE(still.error);
  CHECK(still.error->causes.at(0).field == "spec.predictor.model");
  Json annotated = object;
  annotated.member("metadata") = json(R"({"name":"wine","annotations":{"jackdaw.dev/shadw":"x"}})");
  CHECK(store.create(named("wine"), annotated, {"me", false, UnknownFields::ignore}).error);
}

TEST_CASE("AnOtherVersionOfTheApiIsStoredAsTheFirst") {
  StoreWorld world;
  ResourceStore& store = world.start();
  const ResourceName name{"serving.kserve.io", "llminferenceservices", "default", "chat"};
  const Json object = json(
      R"({"apiVersion":"serving.kserve.io/v1alpha1","kind":"LLMInferenceService","metadata":{"name":"chat"},"spec":{}})");
  const StoreAnswer answer = store.create(name, object, by_me);
  REQUIRE(!answer.error);
  CHECK(at(answer.object, {"apiVersion"}) == "serving.kserve.io/v1alpha2");
  CHECK(store.create({"no.dev", "things", "default", "x"}, object, by_me).error->reason == Reason::not_found);
  CHECK(store.kind("serving.kserve.io", "llminferenceservices")->kind == "LLMInferenceService");
}

TEST_CASE("ManyThreadsWriteListAndWatch") {
  StoreWorld world;
  ResourceStore& store = world.start();
  constexpr int writers = 3, rounds = 60;
  std::atomic<int> writing{writers};
  std::atomic<int> wakes{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] {
      const std::string own = "own" + std::to_string(w);
      for (int i = 0; i < rounds; ++i) {
        const Json object = service(own, R"({"predictor":{"minReplicas":)" + std::to_string(i) + "}}");
        (void)(i % 7 == 6 ? store.remove(named(own), {}, by_me) : apply(store, object, "w"));
        (void)apply(store, service("shared", R"({"predictor":{"minReplicas":)" + std::to_string(w) + "}}"), own, true);
      }
      --writing;
    });
  }
  // A watcher's picture, made of its events alone, ends up being the store's.
  std::map<std::string, std::string> seen;
  std::uint64_t last = 0;
  bool expired = false;
  threads.emplace_back([&] {
    WatchRequest request{"serving.kserve.io", "inferenceservices", "", {}, "", true, [&] { ++wakes; }};
    StoreError error;
    const auto watch = store.watch(request, error);
    bool done = false;
    while (!done) {
      done = writing == 0;
      for (const WatchEvent& event : watch->take(expired)) {
        if (event.type == EventType::bookmark) continue;
        last = event.resource_version;
        const std::string name = at(*event.object, {"metadata", "name"});
        if (event.type == EventType::deleted) {
          seen.erase(name);
        } else {
          seen[name] = event.object->dump();
        }
      }
      std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    while (writing > 0) {
      for (const auto& object : store.list("serving.kserve.io", "inferenceservices", "", {}).objects) {
        (void)object->dump();
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  std::map<std::string, std::string> there;
  for (const auto& object : store.list("serving.kserve.io", "inferenceservices", "", {}).objects) {
    there[at(*object, {"metadata", "name"})] = object->dump();
  }
  CHECK(!expired);
  CHECK(seen == there);
  CHECK(last == store.resource_version());
  CHECK(wakes > 0);
}

}  // namespace
}  // namespace jackdaw::control
