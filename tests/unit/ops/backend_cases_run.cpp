#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend_cases.h"

namespace jackdaw::ops::testing {
namespace {

// A Batch and everything it points to. Greedy rows for every token.
struct OwnedBatch {
  explicit OwnedBatch(const CaseStep& step) {
    greedy.temperature = 0.0f;
    for (const CaseSequence& sequence : step.sequences) {
      BatchSequence part;
      part.first_token = static_cast<std::uint32_t>(tokens.size());
      part.token_count = static_cast<std::uint32_t>(sequence.tokens.size());
      part.first_position = sequence.first_position;
      part.pages = sequence.pages;
      sequences.push_back(part);
      for (std::size_t i = 0; i < sequence.tokens.size(); ++i) {
        SampleRow row;
        row.batch_token = part.first_token + static_cast<std::uint32_t>(i);
        row.parameters = &greedy;
        row.position = sequence.first_position + i + 1;
        rows.push_back(row);
      }
      tokens.insert(tokens.end(), sequence.tokens.begin(), sequence.tokens.end());
    }
  }
  OwnedBatch(const OwnedBatch&) = delete;

  // All tokens, and rows [begin, end): the same step may be run again for other rows, since it writes the same keys
  // and values once more.
  Batch view(std::size_t begin, std::size_t end) const {
    return {tokens, sequences, std::span(rows).subspan(begin, end - begin)};
  }

  SamplingParameters greedy;
  std::vector<std::int32_t> tokens;
  std::vector<BatchSequence> sequences;
  std::vector<SampleRow> rows;
};

Result<void> run_step(const CaseStep& step, const StepLimits& limits, Executable& executable, CaseLogits& out) {
  for (const PageCopy& copy : step.copies) executable.copy_page(copy.from, copy.to, copy.tokens);
  const OwnedBatch batch(step);
  for (std::size_t begin = 0; begin < batch.rows.size(); begin += limits.rows_max) {
    const std::size_t end = std::min<std::size_t>(begin + limits.rows_max, batch.rows.size());
    std::vector<Sampled> sampled(end - begin);
    JACKDAW_TRY(executable.step(batch.view(begin, end), sampled));
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      out.push_back(executable.logits(static_cast<std::uint32_t>(i)));
      const auto best = std::ranges::max_element(out.back()) - out.back().begin();
      if (sampled[i].token != best) {
        return make_error(Code::internal, "Row {} sampled token {}, but {} has the largest logit.", begin + i,
                          sampled[i].token, best);
      }
    }
  }
  return {};
}

double root_mean_square(const std::vector<float>& row) {
  double sum = 0.0;
  for (const float x : row) sum += double{x} * double{x};
  return std::sqrt(sum / static_cast<double>(row.size()));
}

std::string compare_rows(const std::vector<float>& expected, const std::vector<float>& got, double tolerance) {
  if (expected.size() != got.size()) return fmt::format("{} logits instead of {}", got.size(), expected.size());
  const double unit = root_mean_square(expected);
  double sum = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(double{got[i]} - double{expected[i]});
    if (!(difference <= 8.0 * tolerance * unit)) {
      return fmt::format("logit {} is {} instead of {} (the row's size is {})", i, got[i], expected[i], unit);
    }
    sum += difference * difference;
  }
  const double distance = std::sqrt(sum / static_cast<double>(expected.size()));
  if (distance <= tolerance * unit) return "";
  return fmt::format("relative difference {:.5f}, allowed {:.5f}", distance / unit, tolerance);
}

// The same tokens, sequence by sequence, at most `chunk` of them at once.
BackendCase split(const BackendCase& c, std::uint32_t chunk) {
  BackendCase out = c;
  out.steps.clear();
  for (const CaseStep& step : c.steps) {
    std::vector<PageCopy> copies = step.copies;
    for (const CaseSequence& sequence : step.sequences) {
      for (std::size_t at = 0; at < sequence.tokens.size(); at += chunk) {
        const std::size_t end = std::min<std::size_t>(at + chunk, sequence.tokens.size());
        CaseSequence part = sequence;
        part.first_position += static_cast<std::uint32_t>(at);
        part.tokens.assign(sequence.tokens.begin() + static_cast<std::ptrdiff_t>(at),
                           sequence.tokens.begin() + static_cast<std::ptrdiff_t>(end));
        out.steps.push_back({std::exchange(copies, {}), {part}});
      }
    }
  }
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

Result<CaseLogits> run_case(const BackendCase& c, Backend& backend) {
  JACKDAW_ASSIGN(Program program, c.build(backend));
  JACKDAW_ASSIGN(const std::unique_ptr<Executable> executable, backend.compile(std::move(program), c.limits));
  CaseLogits out;
  for (const CaseStep& step : c.steps) JACKDAW_TRY(run_step(step, c.limits, *executable, out));
  return out;
}

Result<CaseLogits> reference_logits(const BackendCase& c) {
  return run_case(c, *make_reference_backend());
}

std::string compare_with_reference(const BackendCase& c, const CaseLogits& expected, Backend& backend,
                                   double tolerance) {
  const auto got = run_case(c, backend);
  if (!got) return got.error().text();
  if (got->size() != expected.size()) return fmt::format("{} rows instead of {}", got->size(), expected.size());
  for (std::size_t row = 0; row < expected.size(); ++row) {
    const std::string problem = compare_rows(expected[row], (*got)[row], tolerance * c.slack);
    if (!problem.empty()) return fmt::format("row {} of {}: {}", row, expected.size(), problem);
  }
  return "";
}

std::string differs_when_split(const BackendCase& c, const CaseLogits& whole, Backend& backend, std::uint32_t chunk) {
  const auto parts = run_case(split(c, chunk), backend);
  if (!parts) return parts.error().text();
  if (parts->size() != whole.size()) return fmt::format("{} rows instead of {}", parts->size(), whole.size());
  for (std::size_t row = 0; row < whole.size(); ++row) {
    if (!same_bits(whole[row], (*parts)[row])) {
      return fmt::format("row {} of {} changes when steps have at most {} tokens", row, whole.size(), chunk);
    }
  }
  return "";
}

}  // namespace jackdaw::ops::testing
