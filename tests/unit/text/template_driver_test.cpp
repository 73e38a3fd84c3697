// The engine's side of tests/e2e/templates.py and tests/data/llm/templates/make_goldens.py --compare: renders many
// templates in one process. Hidden; run by those scripts with JACKDAW_TEMPLATE_CASES and JACKDAW_TEMPLATE_RESULTS.
//
// Cases:   u32 template size, template, u32 context size, context, repeated (little endian).
// Results: u8 ok, u32 size, rendered text or error, repeated.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "jackdaw/text/chat_template.h"

namespace jackdaw::text {
namespace {

class Cases {
 public:
  explicit Cases(std::string bytes) : bytes_(std::move(bytes)) {}
  bool more() const { return at_ < bytes_.size(); }
  std::string next() {
    std::uint32_t size = 0;
    REQUIRE(at_ + sizeof(size) <= bytes_.size());
    std::memcpy(&size, bytes_.data() + at_, sizeof(size));
    at_ += sizeof(size);
    REQUIRE(at_ + size <= bytes_.size());
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

void write(std::ofstream& out, bool ok, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.put(ok ? '\1' : '\0');
  out.write(reinterpret_cast<const char*>(&size), sizeof(size));
  out << text;
}

TEST_CASE("RendersTheCasesOfAFile", "[.template-driver]") {
  const char* cases_path = std::getenv("JACKDAW_TEMPLATE_CASES");
  const char* results_path = std::getenv("JACKDAW_TEMPLATE_RESULTS");
  REQUIRE((cases_path != nullptr && results_path != nullptr));
  std::ifstream in(cases_path, std::ios::binary);
  Cases cases(std::string(std::istreambuf_iterator<char>(in), {}));
  std::ofstream out(results_path, std::ios::binary);
  while (cases.more()) {
    const std::string source = cases.next(), context = cases.next();
    const auto parsed = ChatTemplate::parse(source);
    if (!parsed) {
      write(out, false, parsed.error().text());
      continue;
    }
    const auto rendered = (*parsed)->render(context, 1'753'000'000);
    write(out, rendered.has_value(), rendered ? *rendered : rendered.error().text());
  }
}

}  // namespace
}  // namespace jackdaw::text
