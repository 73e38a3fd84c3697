// Tokenizers' speed: bench_tokenizer TOKENIZER_JSON TEXT_FILE [ROUNDS]. Prints MB/s of this text (the median of the
// rounds) and the worst cases: a megabyte of one letter, spaces, digits. tests/bench/tokenizer_peer.py runs it beside
// Hugging Face's tokenizers and prints the ratio.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "jackdaw/text/tokenizer.h"
#include "text/read_tokenizer.h"

namespace {

using namespace jackdaw::text;

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

double megabytes_a_second(const Tokenizer& tokenizer, const std::string& text, int rounds, std::size_t& tokens) {
  std::vector<double> rates;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    tokens = tokenizer.encode(text, {.add_special = false}).size();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    rates.push_back(static_cast<double>(text.size()) / 1e6 / spent.count());
  }
  std::nth_element(rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2), rates.end());
  return rates[rates.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_tokenizer TOKENIZER_JSON TEXT_FILE [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 5;
  const std::string json = read(argv[1]);
  auto spec = read_tokenizer_json({json, {}, {}});
  const auto made = spec ? Tokenizer::build(std::move(*spec))
                         : jackdaw::Result<std::shared_ptr<const Tokenizer>>(std::move(spec).error());
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().text().c_str());
    return 1;
  }
  std::size_t tokens = 0;
  const auto report = [&](const char* name, const std::string& text) {
    const double rate = megabytes_a_second(**made, text, rounds, tokens);
    std::printf("%-8s %9.2f MB/s %9zu tokens\n", name, rate, tokens);
  };
  report("text", read(argv[2]));
  report("letters", std::string(1'000'000, 'a'));
  report("spaces", std::string(1'000'000, ' '));
  report("digits", std::string(1'000'000, '7'));
  return 0;
}
