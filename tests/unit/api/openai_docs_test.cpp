// docs/openai.md lists every parameter and what becomes of it, as the table has them.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "src/api/openai/parameters.h"

using namespace jackdaw::api::openai;

namespace {

std::string where_text(unsigned where) {
  std::string text;
  const auto add = [&](Kind kind, const char* name) {
    if ((where & static_cast<unsigned>(kind)) == 0) return;
    text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(Kind::chat, "chat");
  add(Kind::completions, "completions");
  add(Kind::tokenize, "tokenize");
  add(Kind::detokenize, "detokenize");
  return text;
}

std::string rows(Fate fate) {
  std::string text = "| parameter | of | |\n|---|---|---|\n";
  for (const Parameter& parameter : parameters()) {
    if (parameter.fate != fate) continue;
    text += "| `" + std::string(parameter.name) + "` | " + where_text(parameter.where) + " | " +
            std::string(parameter.words) + " |\n";
  }
  return text;
}

}  // namespace

TEST_CASE("TheManualListsEveryParameterAsTheTableHasIt") {
  std::ifstream in(JACKDAW_SOURCE_DIR "/docs/openai.md");
  const std::string manual((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (const Fate fate : {Fate::honoured, Fate::refused, Fate::neutral}) {
    const std::string expected = rows(fate);
    INFO("docs/openai.md should hold:\n" << expected);
    CHECK(manual.find(expected) != std::string::npos);
  }
}
