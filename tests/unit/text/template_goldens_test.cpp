// Everything jinja2 rendered for tests/data/llm/templates (see make_goldens.py there), rendered by us.
#include <simdjson.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "jackdaw/text/chat_template.h"

namespace jackdaw::text {
namespace {

constexpr std::int64_t now = 1'753'000'000;  // jinja_oracle.NOW

std::string data_path(const std::string& name) {
  return std::string(JACKDAW_SOURCE_DIR) + "/tests/data/llm/templates/" + name;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

// Both as jinja2 would have it: the text, or a refusal.
void check(const std::string& source, const std::string& context, simdjson::dom::element golden) {
  INFO(source);
  const auto parsed = ChatTemplate::parse(source);
  if (golden.is_null()) {
    if (!parsed) return;
    const auto rendered = (*parsed)->render(context, now);
    if (rendered) FAIL("should have been refused, but gave: " << *rendered);
    CHECK_FALSE(rendered.error().message.empty());
    return;
  }
  if (!parsed) FAIL(parsed.error().text());
  const auto rendered = (*parsed)->render(context, now);
  if (!rendered) FAIL(rendered.error().text());
  CHECK(*rendered == std::string(std::string_view(golden)));
}

TEST_CASE("RendersSnippetsAsJinja2Does") {
  simdjson::dom::parser parser;
  const std::string text = read_file(data_path("goldens.json"));
  const std::size_t begin = std::string("{\"context\": ").size();
  const std::string context = text.substr(begin, text.find(",\n\"cases\"") - begin);
  // The context itself has an integer beyond 64 bits, which this parser would refuse.
  const simdjson::padded_string cases("{" + text.substr(text.find("\"cases\"")));
  simdjson::dom::element root;
  REQUIRE(parser.parse(cases).get(root) == simdjson::SUCCESS);
  std::size_t count = 0;
  for (const simdjson::dom::element row : root["cases"].get_array()) {
    check(std::string(std::string_view(row.at(0))), context, row.at(1));
    ++count;
  }
  CHECK(count > 1000);
}

TEST_CASE("RendersChatTemplatesAsJinja2Does") {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  REQUIRE(parser.load(data_path("chat_goldens.json")).get(root) == simdjson::SUCCESS);
  std::map<std::string, std::string> sources;
  std::size_t count = 0;
  for (const simdjson::dom::element row : root["cases"].get_array()) {
    const std::string name(std::string_view(row.at(0))), label(std::string_view(row.at(1)));
    if (!sources.contains(name)) sources[name] = read_file(data_path(name));
    INFO(name << ": " << label);
    check(sources[name], std::string(std::string_view(root["contexts"].at_key(label))), row.at(2));
    ++count;
  }
  CHECK(count > 200);
}

}  // namespace
}  // namespace jackdaw::text
