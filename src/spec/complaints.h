// Complaints: where the checks of one load put what they find.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/spec/finding.h"
#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

class Complaints {
 public:
  // More findings of one severity help nobody; a hostile file must not make us write millions.
  static constexpr std::size_t kept_max = 1000;

  explicit Complaints(bool strict) : strict_(strict) {}

  void error(FindingKind kind, const Node& node, std::string message) { say(Severity::error, kind, node, message); }
  void error(FindingKind kind, const Member& member, std::string message) {
    say(Severity::error, kind, member, message);
  }
  void report(const Node& node, std::string message) { say(report_severity(), FindingKind::no_effect, node, message); }
  void report(const Member& member, std::string message) {
    say(report_severity(), FindingKind::no_effect, member, message);
  }
  void report(const SourcePlace& place, std::string message) {
    add({report_severity(), FindingKind::no_effect, place, "", std::move(message)});
  }
  void add(Finding finding) {
    if (counts(finding.severity)) findings_.push_back(std::move(finding));
  }

  // No more errors will be kept, only counted.
  bool full_of_errors() const { return errors_ >= kept_max; }
  bool full_of_reports() const { return strict_ ? full_of_errors() : reports_ >= kept_max; }
  std::size_t errors() const { return errors_; }

  std::vector<Finding> take() {
    if (reports_ > kept_max) {
      say_left_out(Severity::report, fmt::format("{} more notes are left out", reports_ - kept_max));
    }
    if (errors_ > kept_max) {
      say_left_out(Severity::error,
                   fmt::format("{} more errors are left out; correct these and look again", errors_ - kept_max));
    }
    return std::move(findings_);
  }

 private:
  Severity report_severity() const { return strict_ ? Severity::error : Severity::report; }

  // Counts a finding; true when it is to be kept.
  bool counts(Severity severity) { return ++(severity == Severity::error ? errors_ : reports_) <= kept_max; }

  template <typename Where>
  void say(Severity severity, FindingKind kind, const Where& where, std::string& message) {
    if (counts(severity)) findings_.push_back({severity, kind, place_of(where), path_of(where), std::move(message)});
  }
  void say_left_out(Severity severity, std::string message) {
    findings_.push_back({severity, FindingKind::invalid_value, findings_.back().place, "", std::move(message)});
  }
  static SourcePlace place_of(const Node& node) { return node.place(); }
  static SourcePlace place_of(const Member& member) { return member.key_place(); }
  static std::string path_of(const Node& node) { return node.path(); }
  static std::string path_of(const Member& member) { return member.value.path(); }

  const bool strict_;
  std::size_t errors_ = 0;
  std::size_t reports_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace jackdaw::spec
