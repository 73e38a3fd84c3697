// One list of Programs and steps that every Backend must run alike. A case makes its own random weights (seeded by its
// name, the same on every backend) and asks for the logits of all its tokens; compare_with_reference() holds them
// against the reference backend, differs_when_split() holds a backend against itself with the same tokens cut into
// other steps, bit for bit.
//
//   for (const BackendCase& c : backend_cases()) {
//     INFO(c.name);
//     CHECK(compare_with_reference(c, *reference_logits(c), *backend, 0.02) == "");
//     CHECK(differs_when_split(c, *run_case(c, *backend), *backend, 1) == "");
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/ops/backend.h"

namespace jackdaw::ops::testing {

struct CaseSequence {
  std::vector<std::int32_t> tokens;
  std::uint32_t first_position = 0;
  std::vector<std::uint32_t> pages;
};

struct PageCopy {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t tokens = 0;
};

struct CaseStep {
  std::vector<PageCopy> copies;  // before the step
  std::vector<CaseSequence> sequences;
};

struct BackendCase {
  std::string name;
  // Adds the case's weights to a backend and describes what to do with them.
  std::function<Result<Program>(Backend&)> build;
  std::vector<CaseStep> steps;  // logits of every token are compared
  StepLimits limits;
  // Multiplies the allowed difference: for cases that amplify rounding, such as a tie between experts.
  double slack = 1.0;
};

// Logits of every token, in the order of steps, sequences and tokens.
using CaseLogits = std::vector<std::vector<float>>;

// Every op alone and together; ids of tokens are below `case_vocabulary`.
inline constexpr std::int32_t case_vocabulary = 96;
std::vector<BackendCase> backend_cases();

// Errors of the backend come back as they are; a sampled token that is not the largest logit is an internal error.
Result<CaseLogits> run_case(const BackendCase& c, Backend& backend);

// "" when the root of the mean squared difference is within `tolerance` of the root of the mean square of the
// reference's logits in every row, and no element is further off than eight times that; else what differs, and where.
std::string compare_with_reference(const BackendCase& c, const CaseLogits& expected, Backend& backend,
                                   double tolerance);
// What the reference backend makes of a case: slow, so once per case.
Result<CaseLogits> reference_logits(const BackendCase& c);

// "" when running the sequences one after the other, at most `chunk` tokens a step, gives bit for bit the logits of
// `whole`, which run_case made on such a backend.
std::string differs_when_split(const BackendCase& c, const CaseLogits& whole, Backend& backend, std::uint32_t chunk);

// `rows` x `columns` of random weights with a mean square of about 1 / columns, as the file holds them.
std::vector<std::byte> random_rows(Encoding encoding, std::int64_t rows, std::int64_t columns, std::uint64_t seed);

}  // namespace jackdaw::ops::testing
