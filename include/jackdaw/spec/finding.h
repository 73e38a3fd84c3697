// Finding: one thing `jackdaw validate` has to say about a file, with its place.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/result.h"

namespace jackdaw::spec {

enum class Severity : unsigned char {
  error,   // the configuration cannot be served as it is written
  report,  // accepted and kept, but without effect where jackdaw runs
};

// Why, as one word that scripts can match; see finding_name().
enum class FindingKind : unsigned char {
  syntax,         // not YAML or JSON, or over a limit
  unknown_field,  // no such field, or misspelt
  wrong_type,     // text where a number belongs, ...
  invalid_value,  // the right type, a value that is refused
  missing_field,  // a required field is not there
  unsupported,    // would change the answer, and this version cannot do it
  no_effect,      // known to KServe, without effect here
  duplicate,      // the same object or key twice
  file,           // the file or folder cannot be read
};
std::string_view finding_name(FindingKind kind);

struct Finding {
  Severity severity = Severity::error;
  FindingKind kind = FindingKind::invalid_value;
  SourcePlace place;
  std::string path;     // "spec.predictor.model.storageUri", "" when it is about the whole document or file
  std::string message;  // one sentence or more: what is wrong and what to do
};

// The source lines around findings, so that they can be shown with a caret. Files that are not there any more, or
// "-", are shown without.
struct RenderOptions {
  bool source_lines = true;  // the line itself and a caret below it
  bool colour = false;
  bool reports = true;  // false: errors only
  int width = 120;      // longer source lines are cut around the caret
};

// All findings as text, one "file:line:column: error|note: message" each, in file and line order.
std::string render_findings_text(std::span<const Finding> findings, const RenderOptions& options = {});
// The same as one JSON object:
// {"errors":n,"notes":n,"findings":[{severity,kind,file,line,column,pointer,path,message}]}.
std::string render_findings_json(std::span<const Finding> findings);

}  // namespace jackdaw::spec
