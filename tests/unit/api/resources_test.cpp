// The resource API in front of a real store: statuses, views, watches, and kinds without effect.
#include <catch2/catch.hpp>
#include <thread>

#include "jackdaw/control/event_log.h"
#include "jackdaw/control/kinds.h"
#include "jackdaw/spec/json.h"
#include "tests/unit/api/fakes.h"

namespace jackdaw::api {
namespace {

using net::Method;
using spec::Json;
using namespace std::chrono_literals;

const std::string base = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";

class Resources {
 public:
  World world;
  std::unique_ptr<control::ResourceStore> store;
  control::EventLog events{system_clock()};
  serving::WorkerPool store_pool{"store", 1, 16};

  Resources() {
    control::ResourceStoreOptions options;
    options.kinds = control::declared_kinds();
    options.clock = &system_clock();
    options.random = &system_random();
    options.validate = [](const control::ResourceKind&, Json& object) {
      control::Verdict verdict;
      if (object.find_path({"spec", "bad"}) != nullptr) {
        verdict.unknown_fields.push_back({{"spec.bad", "unknown field 'bad'", "FieldValueInvalid"}, "/spec/bad"});
      }
      if (object.find_path({"spec", "odd"}) != nullptr) verdict.warnings.push_back("spec.odd: \"no effect\"");
      return verdict;
    };
    store = std::move(*control::make_resource_store(nullptr, std::move(options)));
  }

  std::shared_ptr<FakeExchange> send(Method method, const std::string& target, const std::string& body = {},
                                     std::map<std::string, std::string, std::less<>> headers = {}) {
    auto exchange = std::make_shared<FakeExchange>();
    const std::size_t mark = target.find('?');
    exchange->request_value.method_value = method;
    exchange->request_value.path_value = target.substr(0, mark);
    if (mark != std::string::npos) exchange->request_value.query_value = target.substr(mark + 1);
    exchange->request_value.body_value = body;
    exchange->request_value.header_values = std::move(headers);
    handler()(exchange);
    for (int i = 0; i < 2000 && !exchange->answer; ++i) {
      exchange->run();
      if (!exchange->answer) std::this_thread::sleep_for(1ms);
    }
    REQUIRE(exchange->answer.has_value());
    return exchange;
  }

  net::Handler handler() {
    return make_handler({&world.registry, &world.control, &world.pool, &world.metrics, world.clock, &system_random(),
                         store.get(), &store_pool, &events, world.access},
                        world.options);
  }
};

Json body_of(const FakeExchange& exchange) {
  auto json = spec::read_json(exchange.answer->body, "answer");
  INFO(exchange.answer->body);
  REQUIRE(json.has_value());
  return std::move(*json);
}

std::string at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? "(missing)" : found->is_text() ? std::string(found->as_text()) : found->dump();
}

std::string isvc(const std::string& name, const std::string& spec = "{}") {
  return R"({"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService","metadata":{"name":")" + name +
         R"("},"spec":)" + spec + "}";
}

TEST_CASE("ObjectsAreCreatedReadReplacedPatchedAndDeleted") {
  Resources api;
  auto answer = api.send(Method::post, base, isvc("iris"), {{"user-agent", "kubectl/v1.37.1 (linux/amd64)"}});
  CHECK(answer->answer->status == 201);
  const Json made = body_of(*answer);
  CHECK(at(made, {"metadata", "resourceVersion"}) == "1");
  CHECK(at(made.find_path({"metadata", "managedFields"})->items().at(0), {"manager"}) == "kubectl");
  CHECK(body_of(*api.send(Method::get, base + "/iris")) == made);
  CHECK(at(body_of(*api.send(Method::get, base)), {"kind"}) == "InferenceServiceList");

  answer = api.send(Method::put, base + "/iris", isvc("iris", R"({"odd":1})"));
  CHECK(answer->answer->status == 200);
  CHECK(answer->header("warning") == R"(299 - "spec.odd: \"no effect\"")");
  answer = api.send(Method::patch, base + "/iris?fieldManager=me", R"({"spec":{"odd":2}})",
                    {{"content-type", "application/merge-patch+json"}});
  CHECK(at(body_of(*answer), {"spec", "odd"}) == "2");
  answer = api.send(Method::patch, base + "/iris", "{}", {{"content-type", "application/strategic-merge-patch+json"}});
  CHECK(answer->answer->status == 415);
  answer = api.send(Method::patch, base + "/wine?fieldManager=me", "spec: {odd: 1}",
                    {{"content-type", "application/apply-patch+yaml"}});
  CHECK(answer->answer->status == 201);
  answer = api.send(Method::patch, base + "/iris/status", R"({"status":{"url":"x"}})",
                    {{"content-type", "application/merge-patch+json"}});
  CHECK(at(body_of(*answer), {"status", "url"}) == "x");

  answer = api.send(Method::delete_, base + "/iris", R"({"preconditions":{"uid":"another"}})");
  CHECK(answer->answer->status == 409);
  answer = api.send(Method::delete_, base + "/iris");
  CHECK(at(body_of(*answer), {"status"}) == "Success");
  answer = api.send(Method::get, base + "/iris");
  CHECK(answer->answer->status == 404);
  CHECK(at(body_of(*answer), {"message"}) == R"(inferenceservices.serving.kserve.io "iris" not found)");
  answer = api.send(Method::delete_, base);
  CHECK(body_of(*answer).find("items")->items().size() == 1);
}

TEST_CASE("MistakesAreStatusesWithCauses") {
  Resources api;
  auto answer = api.send(Method::post, base, isvc("iris", R"({"bad":1})"));
  CHECK(answer->answer->status == 422);
  const Json status = body_of(*answer);
  CHECK(at(status, {"kind"}) == "Status");
  CHECK(at(status, {"reason"}) == "Invalid");
  CHECK(at(status, {"details", "causes"}) ==
        R"([{"reason":"FieldValueInvalid","message":"unknown field 'bad'","field":"spec.bad"}])");
  CHECK(api.send(Method::post, base, "{")->answer->status == 400);
  CHECK(api.send(Method::post, base, R"({"kind":"Other"})")->answer->status == 400);
  CHECK(api.send(Method::post, base, R"({"apiVersion":"v1"})")->answer->status == 400);
  CHECK(api.send(Method::post, base, "x", {{"content-type", "application/vnd.kubernetes.protobuf"}})->answer->status ==
        415);
  CHECK(api.send(Method::get, base + "?labelSelector=a%20b")->answer->status == 400);
  CHECK(api.send(Method::get, base + "?watch=true&resourceVersion=99")->answer->status == 410);
  answer = api.send(Method::get, "/apis/serving.kserve.io/v1beta1/namespaces/default/nothings");
  CHECK(answer->answer->status == 404);
  CHECK(at(body_of(*answer), {"kind"}) == "Status");
  answer = api.send(Method::post, base + "/iris", "{}");
  CHECK(answer->answer->status == 405);
  CHECK(at(body_of(*answer), {"reason"}) == "MethodNotAllowed");
  CHECK(at(body_of(*api.send(Method::get, "/api/v2")), {"reason"}) == "NotFound");
}

TEST_CASE("FieldValidationSaysWhatBecomesOfUnknownFields") {
  Resources api;
  const std::string bad = isvc("iris", R"({"bad":1,"odd":2})");
  CHECK(api.send(Method::post, base + "?fieldValidation=Strict", bad)->answer->status == 422);
  CHECK(api.send(Method::post, base, bad)->answer->status == 422);
  auto answer = api.send(Method::post, base + "?fieldValidation=Warn", bad);
  CHECK(answer->answer->status == 201);
  CHECK(answer->header("warning").find("spec.bad: unknown field 'bad'; it is left out") != std::string::npos);
  CHECK(at(body_of(*answer), {"spec"}) == R"({"odd":2})");
  answer = api.send(Method::put, base + "/iris?fieldValidation=Ignore", bad);
  CHECK(answer->answer->status == 200);
  CHECK(answer->header("warning").find("spec.bad") == std::string::npos);
  answer = api.send(Method::patch, base + "/iris?fieldValidation=Warn&fieldManager=me", "spec: {bad: 1, more: 1}",
                    {{"content-type", "application/apply-patch+yaml"}});
  CHECK(answer->answer->status == 200);
  CHECK(at(body_of(*answer), {"spec"}) == R"({"odd":2,"more":1})");
  CHECK(answer->answer->body.find("f:bad") == std::string::npos);
  answer = api.send(Method::patch, base + "/iris?fieldValidation=strict", "{}",
                    {{"content-type", "application/merge-patch+json"}});
  CHECK(answer->answer->status == 422);
  CHECK(at(body_of(*answer), {"message"}) ==
        R"(PatchOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "strict": supported values: )"
        R"("Ignore", "Strict", "Warn")");
  CHECK(api.send(Method::post, base + "?fieldValidation=No", bad)->answer->status == 422);
  CHECK(api.send(Method::put, base + "/iris?fieldValidation=No", bad)->answer->status == 422);
}

TEST_CASE("ListsComeInPiecesAsKubectlAsks") {
  Resources api;
  for (const auto name : {"a", "b", "c"}) api.send(Method::post, base, isvc(name));
  Json list = body_of(*api.send(Method::get, base + "?limit=2"));
  CHECK(list.find("items")->items().size() == 2);
  CHECK(at(list, {"metadata", "remainingItemCount"}) == "1");
  CHECK(at(list, {"metadata", "resourceVersion"}) == "3");
  const std::string token = at(list, {"metadata", "continue"});
  api.send(Method::delete_, base + "/c");
  list = body_of(*api.send(Method::get, base + "?limit=2&continue=" + token));
  REQUIRE(list.find("items")->items().size() == 1);
  CHECK(at(list.find("items")->items()[0], {"metadata", "name"}) == "c");
  CHECK(at(list, {"metadata", "continue"}).empty());
  CHECK(at(list, {"metadata", "resourceVersion"}) == "3");

  const std::map<std::string, std::string, std::less<>> as_table{
      {"accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
  Json table = body_of(*api.send(Method::get, base + "?limit=1", {}, as_table));
  CHECK(at(table, {"metadata", "remainingItemCount"}) == "1");
  table =
      body_of(*api.send(Method::get, base + "?limit=1&continue=" + at(table, {"metadata", "continue"}), {}, as_table));
  REQUIRE(table.find("rows")->items().size() == 1);
  CHECK(at(table.find("rows")->items()[0], {"object", "metadata", "name"}) == "b");
  CHECK(at(table, {"metadata", "remainingItemCount"}) == "(missing)");

  CHECK(api.send(Method::get, base + "?limit=many")->answer->status == 400);
  CHECK(api.send(Method::get, base + "?limit=1&continue=nonsense")->answer->status == 400);
  CHECK(api.send(Method::get, base + "?limit=1&resourceVersion=3&continue=" + token)->answer->status == 400);
  CHECK(api.send(Method::get, base + "?limit=1&resourceVersion=0&continue=" + token)->answer->status == 200);
}

TEST_CASE("AListThatIsTooOldIsGoneAndSaysHowToGoOn") {
  Resources api;
  for (const auto name : {"a", "b"}) api.send(Method::post, base, isvc(name));
  const std::string token = at(body_of(*api.send(Method::get, base + "?limit=1")), {"metadata", "continue"});
  for (int i = 0; i < 4200; ++i) {
    const Json label = *spec::read_json(R"({"metadata":{"labels":{"n":")" + std::to_string(i) + R"("}}})", "test");
    (void)api.store->patch({"serving.kserve.io", "inferenceservices", "default", "a"},
                           {control::PatchRequest::Type::merge, label, false, ""}, {"test", false});
  }
  const auto answer = api.send(Method::get, base + "?limit=1&continue=" + token);
  CHECK(answer->answer->status == 410);
  const Json status = body_of(*answer);
  CHECK(at(status, {"reason"}) == "Expired");
  CHECK(at(status, {"message"}).starts_with("The provided continue parameter is too old"));
  const Json rest = body_of(*api.send(Method::get, base + "?limit=1&continue=" + at(status, {"metadata", "continue"})));
  REQUIRE(rest.find("items")->items().size() == 1);
  CHECK(at(rest.find("items")->items()[0], {"metadata", "name"}) == "b");
}

TEST_CASE("WritesAreRefusedWhereOthersListen") {
  Resources api;
  AccessRules rules;
  rules.this_machine_only = false;
  const Access access(rules);
  api.world.access = &access;
  for (const auto& [method, path] :
       {std::pair{Method::post, base}, std::pair{Method::put, base + "/iris"}, std::pair{Method::patch, base + "/iris"},
        std::pair{Method::delete_, base + "/iris"}, std::pair{Method::delete_, base},
        std::pair{Method::post, std::string("/api/v1/namespaces/default/secrets")},
        std::pair{Method::post, std::string("/api/v1/namespaces")}}) {
    INFO(path);
    CHECK(api.send(method, path, isvc("iris"), {{"content-type", "application/merge-patch+json"}})->answer->status ==
          403);
  }
  CHECK(api.send(Method::get, base)->answer->status == 403);
}

TEST_CASE("ALimitedTokenSeesWhatIsItsOwn") {
  Resources api;
  const std::string kind = "/apis/serving.kserve.io/v1beta1";
  const std::string services = "/inferenceservices";
  for (const auto namespace_name : {"team-a", "team-b"}) {
    for (const auto name : {"iris", "wine"}) {
      const auto made = api.send(Method::post, kind + "/namespaces/" + namespace_name + services, isvc(name));
      REQUIRE(made->answer->status == 201);
      api.events.record(body_of(*made), false, "Ready", "is ready");
    }
  }
  const auto reader = [](std::string name, std::vector<std::string> models, std::vector<std::string> namespaces) {
    Grant grant;
    grant.name = name;
    grant.read = true;
    grant.models = std::move(models);
    grant.namespaces = std::move(namespaces);
    return TokenRow{sha256(name + "-0123456789abcdef"), std::make_shared<const Grant>(std::move(grant))};
  };
  AccessRules rules;
  rules.this_machine_only = false;
  rules.tokens = {reader("all", {}, {}), reader("team", {}, {"team-a"}), reader("iris", {"iris"}, {})};
  const Access access(rules);
  api.world.access = &access;
  const auto get = [&](const std::string& token, const std::string& path) {
    return api.send(Method::get, path, "", {{"authorization", "Bearer " + token + "-0123456789abcdef"}});
  };
  const auto names = [&](const std::string& token, const std::string& path) {
    const Json list = body_of(*get(token, path));
    std::string out;
    for (const Json& item : list.find("items")->items()) {
      const Json* object = item.find("involvedObject");
      out += object == nullptr ? at(item, {"metadata", "name"}) + " "
                               : at(*object, {"namespace"}) + "/" + at(*object, {"name"}) + " ";
    }
    return out;
  };
  const std::string events = "/api/v1/events";
  CHECK(names("all", events) == "team-a/iris team-a/wine team-b/iris team-b/wine ");
  CHECK(names("team", events) == "team-a/iris team-a/wine ");
  CHECK(names("iris", events) == "team-a/iris team-b/iris ");
  CHECK(names("team", events + "?fieldSelector=involvedObject.namespace=team-b").empty());
  CHECK(names("iris", "/api/v1/namespaces/team-b/events") == "team-b/iris ");
  CHECK(get("team", "/api/v1/namespaces/team-b/events")->answer->status == 403);
  CHECK(names("all", "/api/v1/namespaces") == "default team-a team-b ");
  CHECK(names("team", "/api/v1/namespaces") == "team-a ");
  // Lists and watches of objects: what is granted, or nothing.
  const auto of_all = get("all", kind + services + "?watch=true");
  REQUIRE((of_all->events != nullptr));
  CHECK(get("team", kind + services + "?watch=true")->answer->status == 403);
  CHECK(get("team", kind + services)->answer->status == 403);
  CHECK(get("team", kind + "/namespaces/team-b" + services + "?watch=true")->answer->status == 403);
  CHECK(get("iris", kind + "/namespaces/team-a" + services + "?watch=true")->answer->status == 403);
  const auto watch = get("team", kind + "/namespaces/team-a" + services + "?watch=true&sendInitialEvents=true");
  REQUIRE((watch->events != nullptr));
  CHECK(watch->events->sent.find("team-a") != std::string::npos);
  CHECK(watch->events->sent.find("team-b") == std::string::npos);
  api.store->end_watches();
  for (const auto& stream : {of_all, watch}) {
    stream->run();
    CHECK(stream->events->ended);
  }
}

TEST_CASE("AWatchIsAStreamOfLines") {
  Resources api;
  api.send(Method::post, base, isvc("iris"));
  const auto watch = api.send(Method::get, base + "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true");
  REQUIRE((watch->events != nullptr));
  CHECK(watch->answer->content_type == "application/json");
  CHECK(watch->events->sent.find(R"({"type":"ADDED","object":{"apiVersion":"serving.kserve.io/v1beta1")") == 0);
  CHECK(watch->events->sent.find(R"("k8s.io/initial-events-end":"true")") != std::string::npos);
  watch->events->sent.clear();
  api.send(Method::delete_, base + "/iris");
  watch->run();
  CHECK(watch->events->sent.find(R"({"type":"DELETED")") == 0);
  CHECK(watch->events->sent.back() == '\n');
  api.store->end_watches();
  watch->run();
  CHECK(watch->events->ended);
}

TEST_CASE("KubectlFindsEverythingItAsksFirst") {
  Resources api;
  CHECK(at(body_of(*api.send(Method::get, "/api")), {"versions"}) == R"(["v1"])");
  const std::string groups = api.send(Method::get, "/apis")->answer->body;
  CHECK(groups.find("serving.kserve.io/v1beta1") != std::string::npos);
  const std::string kinds = api.send(Method::get, "/apis/serving.kserve.io/v1beta1")->answer->body;
  CHECK(kinds.find(R"("shortNames":["isvc"])") != std::string::npos);
  CHECK(kinds.find("inferenceservices/status") != std::string::npos);
  const std::string core = api.send(Method::get, "/api/v1")->answer->body;
  for (const auto name : {"namespaces", "events", "secrets", "serviceaccounts"}) {
    CHECK(core.find("\"" + std::string(name) + "\"") != std::string::npos);
  }
  const std::string index = api.send(Method::get, "/openapi/v3")->answer->body;
  CHECK(index.find("\"api/v1\"") != std::string::npos);
  CHECK(index.find("\"apis/serving.kserve.io/v1alpha1\"") != std::string::npos);
  const std::string openapi = api.send(Method::get, "/openapi/v3/apis/serving.kserve.io/v1alpha1")->answer->body;
  CHECK(openapi.find("fieldValidation") != std::string::npos);
  CHECK(openapi.find("/clusterservingruntimes/{name}") != std::string::npos);
  CHECK(api.send(Method::get, "/openapi/v3/api/v1")->answer->body.find("ServiceAccount") != std::string::npos);
  CHECK(api.send(Method::get, "/api/v1/namespaces")->answer->body.find("\"default\"") != std::string::npos);
}

TEST_CASE("KindsWithoutEffectAreAcceptedWithAWarningAndKeptNowhere") {
  Resources api;
  const std::string secrets = "/api/v1/namespaces/default/secrets";
  CHECK(api.send(Method::get, secrets + "/s3")->answer->status == 404);
  auto answer = api.send(Method::post, secrets, R"({"metadata":{"name":"s3"},"data":{"key":"a2V5"}})");
  CHECK(answer->answer->status == 201);
  CHECK(answer->header("warning").find("Secret has no effect here and is not kept") != std::string::npos);
  CHECK(at(body_of(*answer), {"metadata", "namespace"}) == "default");
  CHECK(api.send(Method::get, secrets + "/s3")->answer->status == 404);
  CHECK(at(body_of(*api.send(Method::get, secrets)), {"kind"}) == "SecretList");
  CHECK(at(body_of(*api.send(Method::delete_, secrets + "/s3")), {"status"}) == "Success");
  const std::string runtimes = "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes";
  CHECK(api.send(Method::post, runtimes, R"({"metadata":{"name":"r"}})")->answer->status == 201);
  CHECK(api.send(Method::get, runtimes + "/r")->answer->status == 404);
  CHECK(at(body_of(*api.send(Method::get, runtimes)), {"kind"}) == "ClusterServingRuntimeList");
  const std::string graphs = "/apis/serving.kserve.io/v1alpha1/namespaces/default/inferencegraphs";
  answer = api.send(Method::post, graphs, R"({"metadata":{"name":"g"}})");
  CHECK(answer->answer->status == 422);
  CHECK(at(body_of(*answer), {"message"}) == "this version does not serve InferenceGraph: graphs come later");
  answer = api.send(Method::post, "/api/v1/namespaces", R"({"metadata":{"name":"ml"}})");
  CHECK(answer->answer->status == 201);
  CHECK(at(body_of(*answer), {"metadata", "name"}) == "ml");
  CHECK(api.send(Method::delete_, "/api/v1/namespaces/ml")->answer->status == 405);
}

TEST_CASE("EventsTellWhatHappenedToAnObject") {
  Resources api;
  api.send(Method::post, base, isvc("iris"));
  const auto object = api.store->get({"serving.kserve.io", "inferenceservices", "default", "iris"});
  api.events.record(*object, false, "Loading", "The model is being loaded.");
  api.events.record(*object, true, "ModelLoadFailed", "no such file");
  api.events.record(*object, true, "ModelLoadFailed", "no such file");
  const auto items = [&](const std::string& path) {
    const Json list = body_of(*api.send(Method::get, path));
    return list.find("items")->items();
  };
  const auto events = items("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Diris");
  REQUIRE(events.size() == 2);
  CHECK(at(events[1], {"reason"}) == "ModelLoadFailed");
  CHECK(at(events[1], {"type"}) == "Warning");
  CHECK(at(events[1], {"count"}) == "2");
  CHECK(at(events[1], {"involvedObject", "uid"}) == at(*object, {"metadata", "uid"}));
  CHECK(items("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dwine").empty());
  CHECK(items("/api/v1/namespaces/default/events?fieldSelector=type!%3DNormal").size() == 1);
  CHECK(items("/api/v1/namespaces/other/events").empty());
  CHECK(items("/api/v1/events").size() == 2);
}

TEST_CASE("TheEventLogIsBounded") {
  control::EventLog log(system_clock(), 3);
  for (int i = 0; i < 10; ++i) {
    log.record(*spec::read_json(R"({"metadata":{"uid":")" + std::to_string(i) + R"("}})", "x"), false, "Ready", "");
  }
  REQUIRE(log.events().size() == 3);
  CHECK(log.events().front().uid == "7");
}

}  // namespace
}  // namespace jackdaw::api
