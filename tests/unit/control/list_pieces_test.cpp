// Lists that are read in pieces (limit and continue): one version throughout, whatever is written meanwhile.
#include <catch2/catch.hpp>

#include "tests/unit/control/store_world.h"

namespace jackdaw::control {
namespace {

using spec::Json;

const WriteOptions by_me{"me", false};

void add(ResourceStore& store, const std::string& name, const std::string& space = "default",
         const std::string& labels = "{}") {
  Json object = service(name);
  object.member("metadata").set("labels", json(labels));
  REQUIRE(!store.create(named(name, space), object, by_me).error);
}

ListAnswer piece(ResourceStore& store, std::size_t limit, const std::string& token, const std::string& space = {},
                 const std::string& labels = {}) {
  return store.list("serving.kserve.io", "inferenceservices", space, {labels, ""}, {limit, token});
}

// "a b +3", "c", or the reason of the refusal.
std::string shown(const ListAnswer& answer) {
  if (answer.error) return answer.error->reason == Reason::expired ? "(expired)" : "(bad request)";
  std::string out;
  for (const auto& object : answer.objects) out += (out.empty() ? "" : " ") + at(*object, {"metadata", "name"});
  if (answer.remaining) out += " +" + std::to_string(*answer.remaining);
  return out;
}

TEST_CASE("AListInPiecesShowsOneVersion") {
  StoreWorld world;
  ResourceStore& store = world.start();
  for (const auto name : {"a", "c", "e", "g", "i"}) add(store, name);
  add(store, "d", "ml");
  ListAnswer answer = piece(store, 2, "");
  CHECK(shown(answer) == "a c +4");
  CHECK(answer.resource_version == 6);
  const std::string second = answer.next;
  REQUIRE(!second.empty());

  add(store, "f");                                            // came
  REQUIRE(!store.remove(named("e"), {}, by_me).error);        // went
  REQUIRE(!store.remove(named("g"), {}, by_me).error);        // went, and came again
  add(store, "g");                                            // as another one
  REQUIRE(!store.remove(named("d", "ml"), {}, by_me).error);  // the last
  add(store, "z", "ml");                                      // behind it
  REQUIRE(!store.update(named("i"), service("i", R"({"predictor":{"minReplicas":7}})"), by_me).error);

  answer = piece(store, 2, second);
  CHECK(shown(answer) == "e g +2");
  CHECK(answer.resource_version == 6);
  CHECK(at(*answer.objects[1], {"metadata", "resourceVersion"}) == "4");
  CHECK(shown(piece(store, 2, second)) == "e g +2");  // asked again, the same
  answer = piece(store, 2, answer.next);
  CHECK(shown(answer) == "i d");
  CHECK(at(*answer.objects[0], {"spec", "predictor", "minReplicas"}) == "1");
  CHECK(answer.next.empty());
  CHECK(shown(piece(store, 0, second)) == "e g i d");  // the rest at once
  CHECK(shown(piece(store, 0, "")) == "a c f g i z");
  CHECK(piece(store, 6, "").next.empty());
  CHECK(shown(piece(store, 5, "")) == "a c f g i +1");
  CHECK(shown(piece(store, 1, "", "ml")) == "z");
  CHECK(shown(piece(store, SIZE_MAX, "")) == "a c f g i z");
}

TEST_CASE("PiecesOfSelectedObjectsAreFullAndSayNoCount") {
  StoreWorld world;
  ResourceStore& store = world.start();
  for (int i = 0; i < 9; ++i) add(store, "n" + std::to_string(i), "default", i % 2 == 0 ? R"({"even":"yes"})" : "{}");
  ListAnswer answer = piece(store, 2, "", "", "even=yes");
  CHECK(shown(answer) == "n0 n2");
  answer = piece(store, 2, answer.next, "", "even=yes");
  CHECK(shown(answer) == "n4 n6");
  answer = piece(store, 2, answer.next, "", "even=yes");
  CHECK(shown(answer) == "n8");
  CHECK(answer.next.empty());
  CHECK(piece(store, 5, "", "", "even=yes").next.empty());
}

TEST_CASE("AListExpiresWithTheHistoryAndGoesOnWithWhatIsThere") {
  StoreWorld world;
  world.options.history_max = 3;
  ResourceStore& store = world.start();
  for (const auto name : {"a", "b", "c", "d"}) add(store, name);
  const std::string token = piece(store, 1, "").next;
  for (const auto name : {"e", "f", "g"}) add(store, name);
  CHECK(shown(piece(store, 2, token)) == "b c +1");
  REQUIRE(!store.remove(named("c"), {}, by_me).error);
  ListAnswer answer = piece(store, 2, token);
  CHECK(shown(answer) == "(expired)");
  REQUIRE(!answer.next.empty());
  answer = piece(store, 2, answer.next);
  CHECK(shown(answer) == "b d +3");
  CHECK(answer.resource_version == 8);
  CHECK(shown(piece(store, 3, answer.next)) == "e f g");

  // Versions of a store that has ended say nothing about this one.
  const std::string before = piece(store, 1, "").next;
  CHECK(shown(piece(world.start(), 1, before)) == "(expired)");
}

TEST_CASE("TokensThatAreNoneAreRefused") {
  StoreWorld world;
  ResourceStore& store = world.start();
  for (const auto name : {"a", "b", "c"}) add(store, name);
  const std::string token = piece(store, 1, "").next;
  const std::vector<std::string> none{"x",
                                      "...",
                                      "0.0.0.",
                                      token.substr(5),
                                      "x" + token,
                                      "0.now.-.other.dev/things/default/a",
                                      "0.-1.-.serving.kserve.io/inferenceservices/default/a"};
  for (const std::string& bad : none) {
    INFO(bad);
    const std::string refusal = shown(piece(store, 1, bad));
    CHECK((refusal == "(bad request)" || (bad == token.substr(5) && refusal == "(expired)")));
  }
  CHECK(shown(piece(store, 1, token, "ml")) == "(bad request)");
  CHECK(store.list("serving.kserve.io", "llminferenceservices", "", {}, {1, token}).error->reason ==
        Reason::bad_request);
  // A count that was made up is the liar's own.
  const std::size_t count = token.find('.', token.find('.') + 1) + 1;
  CHECK(shown(piece(store, 1, token.substr(0, count) + "0" + token.substr(count + 1))) == "b +0");
}

}  // namespace
}  // namespace jackdaw::control
