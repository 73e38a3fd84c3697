// Complaints: where the checks of one load put what they find.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jackdaw/spec/finding.h"
#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

class Complaints {
 public:
  explicit Complaints(bool strict) : strict_(strict) {}

  void error(FindingKind kind, const Node& node, std::string message) {
    add({Severity::error, kind, node.place(), node.path(), std::move(message)});
  }
  void error(FindingKind kind, const Member& member, std::string message) {
    add({Severity::error, kind, member.key_place(), member.value.path(), std::move(message)});
  }
  void report(const Node& node, std::string message) {
    add({report_severity(), FindingKind::no_effect, node.place(), node.path(), std::move(message)});
  }
  void report(const Member& member, std::string message) {
    add({report_severity(), FindingKind::no_effect, member.key_place(), member.value.path(), std::move(message)});
  }
  void add(Finding finding) {
    errors_ += finding.severity == Severity::error ? 1 : 0;
    findings_.push_back(std::move(finding));
  }

  std::size_t errors() const { return errors_; }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  Severity report_severity() const { return strict_ ? Severity::error : Severity::report; }

  const bool strict_;
  std::size_t errors_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace jackdaw::spec
